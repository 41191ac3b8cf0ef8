"""Packed files of a drop (`.jsonl.gz`): unpacked by streaming, within bounds, into the ledger's
container, for as long as the run lives. The training container is read and never written.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from shared.errors import DataRejected
from shared.models.drop import Drop, Layout
from shared.models.plan import Pin, Role
from shared.runs.scans import container_of
from shared.services import storage

FOLDER = "unpacked"
# So much of a file is held at a time.
BLOCK_BYTES = 8 * 2**20
# What the decompressor gets and gives at a time: a bomb grows by a thousand, and many small members
# are copied anew each.
FED_BYTES, TAKEN_BYTES = 8 * 2**10, 2**20
# Archives that were put one behind the other, as bgzip does with each 64 KiB; more of them are no
# file of 512 MiB.
MEMBERS_MAX = 1_000_000
GZIP = 31  # window of 32 KiB, with the header and the checksum of gzip


def unpacked(run_id: str, role: Role, packed: Pin, name: str) -> Pin:
    """The pin of the unpacked file, written if it isn't there yet; `name` as it begins a sentence.

    Raises:
        DataRejected: it is no gzip archive, is damaged, or is too large when it is unpacked.
        Changed: the packed blob isn't the pinned one any more.
    """
    container, blob = storage.ledger(), f"{FOLDER}/{run_id}/{role}.jsonl"
    facts = container.facts(blob)
    if facts is None:
        # Once to its end: nothing is written of an archive that is damaged or a bomb.
        deque(_content(packed, name), maxlen=0)
        # Written once: of two executions at the same moment one wins, and both go on with its blob;
        # nothing is there before all of it is.
        container.put_stream(blob, blocks(_content(packed, name)))
        facts = container.facts(blob)
    # The run has ended meanwhile.
    if facts is None:
        raise storage.Changed
    return Pin(
        blob=blob, etag=facts.etag, bytes=facts.bytes, container=container.name, packed=packed
    )


def _content(packed: Pin, name: str) -> Iterator[bytes]:
    return bounded(
        members(container_of(packed).chunks(packed.blob, packed.etag, 0, packed.bytes), name), name
    )


def may_have_unpacked(drop: Drop) -> bool:
    """Whether a run of this drop may have unpacked something."""
    # A plain file alone has no companions.
    return drop.packed or drop.layout is not Layout.FILE


def delete_unpacked(run_id: str) -> None:
    """Deletes what the run has unpacked; what isn't there is deleted."""
    container = storage.ledger()
    for facts in container.list(f"{FOLDER}/{run_id}/"):
        container.delete(facts.name)


def members(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """What the members of a gzip archive hold, one after the other, in pieces of bounded size.

    Raises:
        DataRejected: it is none, is damaged, or ends too early.
    """
    number, inflater = 0, None
    for left in (
        piece[at : at + FED_BYTES] for piece in pieces for at in range(0, len(piece), FED_BYTES)
    ):
        while left:
            if inflater is None:
                # Zeros behind a member are padding.
                left = left.lstrip(b"\0") if number else left
                if not left:
                    break
                number, inflater = number + 1, zlib.decompressobj(GZIP)
            if number > MEMBERS_MAX:
                raise _damaged(f"{name} is an archive of more than {MEMBERS_MAX:,} members.")
            yield _inflated(inflater.decompress, left, name)
            left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            inflater = None if inflater.eof else inflater
    if inflater is not None or not number:
        raise _damaged(
            f"{name} is an incomplete gzip archive."
            if number
            else f"{name} is empty, not a gzip archive."
        )


def _inflated(inflate: Callable[[bytes, int], bytes], left: bytes, name: str) -> bytes:
    try:
        return inflate(left, TAKEN_BYTES)
    except zlib.error:
        raise _damaged(f"{name} is not a gzip archive, or is damaged.") from None


def bounded(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The same pieces, as long as a file of them is one that the service takes.

    Raises:
        DataRejected: it would not be.
    """
    from tunedrop_check.scan.file_result import MAX_FILE_BYTES  # msgspec and numpy: not at import

    size = 0
    for piece in pieces:
        size += len(piece)
        if size >= MAX_FILE_BYTES:
            raise DataRejected(
                "TD-DROP-009",
                (
                    f"{name} has {MAX_FILE_BYTES // 2**20} MiB or more when it is unpacked; Azure "
                    "OpenAI accepts only less."
                ),
                "Remove examples until it is smaller.",
            )
        yield piece


def blocks(pieces: Iterable[bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The same bytes in pieces of this size, but for the last."""
    held, pending = 0, list[bytes]()
    for piece in pieces:
        pending.append(piece)
        held += len(piece)
        if held >= size:
            whole = b"".join(pending)
            yield from (whole[at : at + size] for at in range(0, held - held % size, size))
            pending = [whole[held - held % size :]]
            held %= size
    if held:
        yield b"".join(pending)


def _damaged(message: str) -> DataRejected:
    return DataRejected(
        "TD-DROP-011", message, "Pack the file again with gzip, or drop it unpacked."
    )
