"""Large blobs of the app's own are written whole or not at all, and once."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from azure.storage.blob import BlobServiceClient

from shared.services.storage import Container
from tests.azurite import azurite
from tests.patience import patience

__all__ = ["azurite"]

BLOCK = 256 * 1024


@pytest.fixture
def container(azurite: str) -> Container:
    """An empty container."""
    made = Container(
        BlobServiceClient.from_connection_string(azurite).get_container_client(
            f"t{secrets.token_hex(6)}"
        )
    )
    made.create()
    return made


def blocks(letter: bytes, number: int = 5) -> Iterator[bytes]:
    """Blocks of one letter."""
    return iter([letter * BLOCK] * number)


def content(container: Container) -> bytes | None:
    """What stands there."""
    stored = container.read("large", 100 * BLOCK)
    return stored.content if stored else None


def test_blob_is_there_with_all_of_its_blocks(container: Container) -> None:
    """In their order; an empty one, too."""
    container.put_stream("large", iter([b"a" * BLOCK, b"b" * BLOCK, b"c"]))
    container.put_stream("empty", iter([]))
    assert content(container) == b"a" * BLOCK + b"b" * BLOCK + b"c"
    assert container.facts("empty") is not None


def test_nothing_is_there_where_the_writer_broke_off(container: Container) -> None:
    """And the next one writes it."""

    def broken() -> Iterator[bytes]:
        yield from blocks(b"x", 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        container.put_stream("large", broken())
    assert content(container) is None
    container.put_stream("large", blocks(b"y"))
    assert content(container) == b"y" * 5 * BLOCK


def test_first_blob_stays_when_it_is_written_again(container: Container) -> None:
    """Whoever has pinned it finds it as it was."""
    container.put_stream("large", blocks(b"a"))
    before = container.facts("large")
    container.put_stream("large", blocks(b"b"))
    assert (content(container), container.facts("large")) == (b"a" * 5 * BLOCK, before)


def test_blocks_of_two_writers_at_once_never_mix(container: Container) -> None:
    """One of them wins, in whatever order their blocks come."""
    together = Barrier(8)

    def write(letter: bytes) -> None:
        def halting() -> Iterator[bytes]:
            for block in blocks(letter):
                together.wait(patience(20))
                yield block

        container.put_stream("large", halting())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, [bytes([65 + number]) for number in range(8)]))
    found = content(container)
    assert found is not None
    assert (len(set(found)), len(found)) == (1, 5 * BLOCK)


def test_delete_is_done_when_there_is_nothing_to_delete(container: Container) -> None:
    """Twice is once."""
    container.put("large", b"x")
    container.delete("large")
    container.delete("large")
    assert content(container) is None
