"""What is unpacked of a gzip archive, in which pieces, and which archives are refused."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator

import pytest

from shared.errors import DataRejected, Problem
from shared.runs import unpacking
from shared.runs.unpacking import blocks, bounded, members

NAME = "The training file"
PACKED = gzip.compress(b'{"messages": []}\n' * 1_000)
MIB = 2**20


def unpacked(*pieces: bytes) -> bytes:
    """All of it."""
    return b"".join(members(pieces, NAME))


def refused(*pieces: bytes) -> Problem:
    """Why this archive is no file of a drop."""
    with pytest.raises(DataRejected) as caught:
        for _ in bounded(members(pieces, NAME), NAME):
            pass
    return caught.value.problem


@pytest.mark.parametrize("size", [0, 1, 3, 8 * 2**10, MIB, 3 * MIB + 7])
@pytest.mark.parametrize("piece", [1_000, 8 * 2**10, 4 * MIB])
def test_archive_unpacks_to_what_was_packed(size: int, piece: int) -> None:
    """However it comes in pieces; what can be packed a thousandfold, and what can't be packed at
    all.
    """
    for content in (b"\0" * size, hashlib.shake_256(b"x").digest(size)):
        packed = gzip.compress(content)
        assert (
            unpacked(*(packed[at : at + piece] for at in range(0, len(packed), piece))) == content
        )


def test_members_are_joined_and_zeros_behind_them_are_padding() -> None:
    """As gzip itself reads them: `cat a.gz b.gz > both.gz`, and files that a tape has filled up."""
    several = gzip.compress(b"a\n") + gzip.compress(b"") + gzip.compress(b"b\n") + b"\0" * 1_000
    assert unpacked(several) == gzip.decompress(several) == b"a\nb\n"


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        pytest.param(b"", "is empty, not a gzip archive", id="empty"),
        pytest.param(b'{"messages": []}\n', "is not a gzip archive", id="not packed"),
        pytest.param(b"PK\x03\x04" + PACKED, "is not a gzip archive", id="a zip archive"),
        pytest.param(zlib.compress(b"x"), "is not a gzip archive", id="a zlib stream"),
        pytest.param(PACKED[:-1], "is an incomplete gzip archive", id="a byte short"),
        pytest.param(PACKED[:20], "is an incomplete gzip archive", id="cut"),
        pytest.param(PACKED + PACKED[:20], "is an incomplete gzip archive", id="second member cut"),
        pytest.param(
            PACKED + b"and more", "is not a gzip archive, or is damaged", id="something behind it"
        ),
        pytest.param(
            PACKED[:-8] + b"\0" * 8, "is not a gzip archive, or is damaged", id="wrong checksum"
        ),
        pytest.param(
            PACKED[:-4] + b"\0" * 4, "is not a gzip archive, or is damaged", id="wrong length"
        ),
        pytest.param(
            PACKED[:30] + b"\xff" + PACKED[31:],
            "is not a gzip archive, or is damaged",
            id="a wrong byte",
        ),
    ],
)
def test_archive_that_can_not_be_unpacked_to_its_end_is_told_what_it_is(
    packed: bytes, told: str
) -> None:
    """In words, and never with what is in it."""
    problem = refused(packed)
    assert problem.code == "TD-DROP-011"
    assert problem.message.startswith(NAME)
    assert told in problem.message
    assert "messages" not in problem.message


def bomb(mib: int) -> Iterator[bytes]:
    """An archive of so many MiB of zeros, some thousandth of that."""
    packer = zlib.compressobj(1, wbits=31)
    yield from (packer.compress(b"\0" * MIB) for _ in range(mib))
    yield packer.flush()


def test_bomb_is_refused_at_the_size_that_the_service_takes() -> None:
    """By name, in pieces of bounded size, and before more of it is unpacked: this one would go on
    to 2 GiB.
    """
    sizes: list[int] = []
    with pytest.raises(DataRejected) as caught:
        sizes.extend(len(block) for block in blocks(bounded(members(bomb(2_048), NAME), NAME)))
    assert (caught.value.problem.code, "when it is unpacked" in caught.value.problem.message) == (
        "TD-DROP-009",
        True,
    )
    assert (set(sizes), sum(sizes) <= 512 * MIB) == ({8 * MIB}, True)


def test_archive_of_endlessly_many_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs time, also the empty ones, of which 500 MB would hold 25 million."""
    monkeypatch.setattr(unpacking, "MEMBERS_MAX", 1_000)
    assert refused(gzip.compress(b"") * 1_001).code == "TD-DROP-011"
    assert unpacked(gzip.compress(b"") * 1_000) == b""


def test_blocks_are_of_one_size_but_for_the_last() -> None:
    """Whatever the pieces were."""
    pieces = [b"a", b"", b"bcdefgh", b"i" * 9, b"j"]
    assert [len(block) for block in blocks(pieces, 4)] == [4, 4, 4, 4, 2]
    assert b"".join(blocks(pieces, 4)) == b"".join(pieces)
    assert list(blocks([], 4)) == []
