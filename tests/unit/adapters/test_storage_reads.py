"""What is read of a blob is bounded, and what it is stands in its facts."""

import gzip
import secrets
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.storage.blob import BlobServiceClient, BlobType, ContainerClient, ContentSettings

from shared.services import storage
from shared.services.storage import BlobFacts, Container, TooLarge
from tests.azurite import azurite
from tests.unit.adapters.misbehaving import forget

__all__ = ["azurite"]

KEY = "c2VjcmV0"
HEADERS_OF_600_MB = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Length: 33554432\r\nContent-Range: bytes "
    b"0-33554431/629145600\r\n"
    b'ETag: "0x1"\r\nx-ms-blob-type: BlockBlob\r\n\r\n'
)


@pytest.fixture
def client(azurite: str) -> ContainerClient:
    """An empty container on Azurite."""
    made = BlobServiceClient.from_connection_string(azurite).get_container_client(
        f"t{secrets.token_hex(6)}"
    )
    made.create_container()
    return made


@pytest.fixture
def only_headers() -> Iterator[int]:
    """The port of a service that announces a blob of 600 MB to each question, and never sends a
    byte of it.
    """
    with socket.create_server(("127.0.0.1", 0)) as service:

        def serve() -> None:
            taken, _ = service.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(HEADERS_OF_600_MB)
                taken.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        yield service.getsockname()[1]


def test_blob_of_the_most_bytes_is_read_and_one_more_is_refused(client: ContainerClient) -> None:
    """The limit is exact, and the exception tells both sizes."""
    container = Container(client)
    container.put("exact", b"x" * 1000)
    container.put("larger", b"x" * 1001)
    stored = container.read("exact", 1000)
    assert stored is not None
    assert len(stored.content) == 1000
    with pytest.raises(TooLarge, match="1,001 bytes") as refused:
        container.read("larger", 1000)
    assert (refused.value.bytes, refused.value.most, refused.value.problem.code) == (
        1001,
        1000,
        "TD-STORAGE-001",
    )


def test_nothing_of_a_blob_that_is_too_large_is_read(only_headers: int) -> None:
    """The refusal comes by the headers alone: this service never sends a body."""
    container = Container(
        ContainerClient(f"http://127.0.0.1:{only_headers}/account", "training", credential=KEY)
    )
    with pytest.raises(TooLarge):
        container.read("job.json")


def test_blob_that_calls_itself_packed_is_read_as_it_was_dropped(client: ContainerClient) -> None:
    """Whoever drops a blob chooses its headers: 20 kB that unpack to 20 MB stay 20 kB, whole or in
    pieces.
    """
    packed = gzip.compress(b" " * 20 * 2**20)
    client.upload_blob("packed", packed, content_settings=ContentSettings(content_encoding="gzip"))
    container = Container(client)
    stored = container.read("packed", len(packed))
    assert stored is not None
    assert stored.content == packed
    assert b"".join(container.chunks("packed", stored.etag, 0, len(packed))) == packed


def test_empty_blob_is_read(client: ContainerClient) -> None:
    """An empty blob has no range to ask for; it is content all the same."""
    container = Container(client)
    container.put("empty", b"")
    stored = container.read("empty", 10)
    assert stored is not None
    assert stored.content == b""


def test_blob_is_whole_through_the_client_that_the_app_makes(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes, pieces, pages and writes pass the bounds, also from many threads on one client."""
    monkeypatch.setenv("DropStorage", azurite)
    monkeypatch.setenv("TUNEDROP_TRAINING_CONTAINER", f"t{secrets.token_hex(6)}")
    forget()
    container, contents = (
        storage.training(),
        {f"blob{number}": secrets.token_bytes(5 * 2**20 + number) for number in range(8)},
    )

    def read(name: str) -> bool:
        container.put(name, contents[name])
        facts, stored = container.facts(name), container.read(name, 6 * 2**20)
        assert facts is not None
        assert stored is not None
        pieces = b"".join(container.chunks(name, facts.etag, 0, facts.bytes))
        return facts.bytes == len(contents[name]) and pieces == stored.content == contents[name]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, contents))
    assert {found.name: found.bytes for found in container.list()} == {
        name: len(content) for name, content in contents.items()
    }
    forget()


def test_facts_tell_what_kind_a_blob_is(client: ContainerClient) -> None:
    """Alone and in a listing: 64 GiB of page blob cost nobody anything, and must be known for what
    they are.
    """
    client.upload_blob("block", b"x")
    client.upload_blob("page", b"\0" * 512, blob_type=BlobType.PAGEBLOB)
    client.upload_blob("append", b"x", blob_type=BlobType.APPENDBLOB)
    container = Container(client)
    assert {found.name: found.kind for found in container.list()} == {
        "block": "block",
        "page": "page",
        "append": "append",
    }
    assert [_facts(container, name).kind for name in ("block", "page", "append")] == [
        "block",
        "page",
        "append",
    ]


def test_facts_tell_that_a_blob_is_archived(client: ContainerClient) -> None:
    """Its bytes can't be read before somebody brings it back."""
    client.upload_blob("kept.jsonl", b"x").set_standard_blob_tier("Archive")
    client.upload_blob("read.jsonl", b"x")
    container = Container(client)
    assert {found.name: found.archived for found in container.list()} == {
        "kept.jsonl": True,
        "read.jsonl": False,
    }
    assert _facts(container, "kept.jsonl").archived


def _facts(container: Container, blob: str) -> BlobFacts:
    found = container.facts(blob)
    assert found is not None
    return found
