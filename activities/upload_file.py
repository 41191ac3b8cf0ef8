"""Upload one file of the drop to Azure OpenAI, unchanged."""

import io
from collections.abc import Iterator
from typing import Any

import azure.durable_functions as df

from shared.errors import DeadlinePassed
from shared.models.effect_kinds import FILE
from shared.models.messages import Answer, FileStep
from shared.models.plan import Pin
from shared.models.record import Step
from shared.runs import clients, scans
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, tried
from shared.runs.effects import Making
from shared.runs.ledger import Ledger, Read
from shared.runs.marks import file_name
from shared.services import storage
from shared.services.azure_openai import FileFacts

bp = df.Blueprint()


@activity_of_living_run(bp, FileStep, enters=Step.UPLOAD)
def upload_file(wanted: FileStep, ledger: Ledger, read: Read) -> Answer:
    """Uploads the pinned bytes and answers the service's file id.

    Second run: the file is found by its name, which carries run id and content hash, and adopted if
    it is whole.
    """
    record = read.record
    plan = needed(record.plan, "plan")
    pin = needed(plan.file(wanted.role), f"{wanted.role} file")
    service = clients.for_training(plan)
    name = file_name(record, wanted.role)

    def look() -> str | None:
        return next((f.id for f in service.files_named(name) if is_whole(f, pin)), None)

    def act(within_s: float) -> str:
        return service.upload(name, _reader(pin), within_s).id

    waited_s = (read.now - record.entered(Step.UPLOAD)).total_seconds()
    late = DeadlinePassed(
        "TD-DEADLINE-002",
        f"The {wanted.role} file could not be uploaded within {waited_s:.0f} s.",
        "file_deadline_s",
    )
    deadline = Deadline(
        ledger, wanted.run_id, f"upload_file:{wanted.role}", waited_s, wanted.pace.file_deadline_s
    )
    making = Making(ledger, wanted, FILE.named(wanted.role), look, act, wanted.pace.upload_s)
    return tried(making.once, wanted.pace, deadline, late)


def is_whole(found: FileFacts, pin: Pin) -> bool:
    """Whether a file of this name is what an earlier execution uploaded."""
    # A whole one in error is adopted too, and file_status tells why.
    return found.bytes == pin.bytes or (found.bytes is None and found.status != "error")


def _reader(pin: Pin) -> io.BufferedReader:
    return io.BufferedReader(PinnedBytes(pin), buffer_size=storage.CHUNK_BYTES)


class PinnedBytes(io.RawIOBase):
    """The bytes of a pinned blob as a seekable stream that is never held whole."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin
        self._at = 0
        self._rest = b""
        self._chunks: Iterator[bytes] | None = None

    def readable(self) -> bool:
        """It is a stream to read."""
        return True

    def seekable(self) -> bool:
        """The client measures the length before it reads."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position."""
        self._at = (
            offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._pin.bytes}[whence]
        )
        # The next read asks the storage service from there.
        self._rest, self._chunks = b"", None
        return self._at

    def readinto(self, buffer: Any) -> int:
        """The next bytes.

        Raises:
            Changed: the blob isn't the pinned one any more.
        """
        if self._chunks is None:
            self._chunks = scans.container_of(self._pin).chunks(
                self._pin.blob, self._pin.etag, self._at, self._pin.bytes
            )
        self._rest = self._rest or next(self._chunks, b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._at += count
        return count
