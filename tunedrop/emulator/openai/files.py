"""Files of the resource: pending, then processed or error.

An upload is examined once, when it comes; what was found shows when processing is over.
"""

from collections.abc import Iterator

from tunedrop.emulator.examples import Facts
from tunedrop.emulator.openai import errors
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

PURPOSE = "fine-tune"
RESULTS_PURPOSE = "fine-tune-results"


class Files:
    """The state machine of files; knows no HTTP."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check_room(self, size: int) -> None:
        """Refuse an upload that the limits of the resource do not allow."""
        limits, now = self._world.limits, self._world.now()
        uploads = [doc for doc in self._world.store.all("file") if doc["purpose"] == PURPOSE]
        if size > limits.file_max_bytes:
            raise errors.invalid(f"The file is larger than {limits.file_max_bytes} bytes.", "file")
        if size == 0:
            raise errors.invalid("The file is empty.", "file")
        if len(uploads) >= limits.files_max:
            raise errors.quota_exceeded(
                f"The resource holds its maximum of {limits.files_max} files."
            )
        if sum(doc["bytes"] for doc in uploads) + size > limits.files_max_bytes:
            raise errors.quota_exceeded(
                f"The files of the resource would exceed {limits.files_max_bytes} bytes."
            )
        if sum(now - doc["created"] < 1 for doc in uploads) >= limits.uploads_per_second:
            raise errors.too_many_requests(1)

    def create(self, filename: str, size: int, facts: Facts, chunks: Iterator[bytes]) -> Doc:
        """Keep an upload."""
        self.check_room(size)
        problem = facts.problem
        fate = self._world.fault("file", about=filename) or {}
        if fate.get("ends") == "error":
            problem = fate.get("message", "The file could not be processed.")
        more: Doc = {
            "facts": facts.to_json(),
            "problem": problem,
            "stuck": fate.get("ends") == "never",
        }
        return self._keep(filename, size, PURPOSE, chunks, more, status="pending")

    def keep_results(self, filename: str, data: bytes) -> Doc:
        """Keep a results file that a job made; it is processed from the start."""
        return self._keep(
            filename, len(data), RESULTS_PURPOSE, iter([data]), {}, status="processed"
        )

    def _keep(
        self,
        filename: str,
        size: int,
        purpose: str,
        chunks: Iterator[bytes],
        more: Doc,
        *,
        status: str,
    ) -> Doc:
        doc: Doc = {
            "id": self._world.new_id("file"),
            "filename": filename,
            "bytes": size,
            "purpose": purpose,
            "created": self._world.now(),
            "status": status,
            "reads": 0,
            **more,
        }
        self._world.store.write_content(doc["id"], chunks)
        self._save(doc)
        return doc

    def _save(self, doc: Doc) -> None:
        self._world.store.put("file", doc["id"], doc, live=doc["status"] == "pending")

    def advance(self) -> None:
        """Bring every file to where its pace says it is now."""
        now, policy = self._world.now(), self._world.pace.file
        for doc in self._world.store.all("file", live=True):
            if policy.gained(now - doc["created"], doc["reads"]) >= 1 and not doc.get("stuck"):
                doc["status"] = "error" if doc["problem"] else "processed"
                self._save(doc)

    def find(self, id_: str) -> Doc:
        """One file; refuses an unknown id."""
        doc = self._world.store.get("file", id_)
        if doc is None:
            raise errors.not_found("file")
        return doc

    def read(self, id_: str) -> Doc:
        """One file, for a caller who watches it: the read counts for its pace."""
        doc = self.find(id_)
        doc["reads"] += 1
        self._save(doc)
        self.advance()
        return self.find(id_)

    def all(self, purpose: str | None = None) -> list[Doc]:
        """Files, newest first."""
        return [
            doc
            for doc in reversed(self._world.store.all("file"))
            if purpose in (None, doc["purpose"])
        ]

    def delete(self, id_: str) -> None:
        """Forget a file and its content; refuses an unknown id."""
        self.find(id_)
        self._world.store.delete("file", id_)
        self._world.store.delete_content(id_)

    def content(self, id_: str) -> Iterator[bytes]:
        """The bytes of a file; refuses an unknown id."""
        self.find(id_)
        return self._world.store.content(id_)


def shown(doc: Doc) -> Doc:
    """A file as both surfaces show it."""
    answer: Doc = {key: doc[key] for key in ("id", "bytes", "filename", "purpose", "status")}
    answer |= {"object": "file", "created_at": int(doc["created"])}
    if doc["status"] == "error":
        answer["status_details"] = doc["problem"]
    return answer
