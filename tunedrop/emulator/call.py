"""What a route hands to an operation and what it gets back; neither knows Starlette."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Literal

from tunedrop.emulator.examples import Facts
from tunedrop.emulator.roles import Scope
from tunedrop.emulator.store import Doc


@dataclass(slots=True)
class Upload:
    """A file of a multipart form; the content stands in a temporary file."""

    filename: str
    content_type: str
    size: int
    file: SpooledTemporaryFile[bytes]

    def chunks(self, size: int = 2**20) -> Iterator[bytes]:
        """The content from its start."""
        self.file.seek(0)
        while chunk := self.file.read(size):
            yield chunk


@dataclass(slots=True)
class Form:
    """A multipart form: its fields and its files, by name."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    files: dict[str, Upload] = field(default_factory=dict[str, Upload])


@dataclass(slots=True)
class Call:
    """One request, decoded."""

    version: str
    """The api-version, or "v1"."""
    base_url: str
    path: dict[str, str]
    query: dict[str, str]
    body: Doc = field(default_factory=dict[str, object])
    form: Form = field(default_factory=Form)
    lag_s: float = 0.0
    """Lists leave out what is younger, when a fault says so."""
    facts: Facts | None = None
    """What the upload was found to hold."""


@dataclass(slots=True)
class Reply:
    """One answer, not yet encoded; `id` names the thing for the ledger."""

    status: int
    body: Doc | None = None
    content: Iterator[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a plane: its name in the ledger, its address, what it takes and does."""

    name: str
    method: Literal["GET", "PUT", "POST", "DELETE", "PATCH"]
    path: str
    run: Callable[[Call], Reply]
    query: frozenset[str] = frozenset()
    takes: Literal["nothing", "json", "form"] = "nothing"
    writes: bool = False
    action: str = ""
    """The action of Azure's roles that it needs, by its full name."""
    scope: Scope = "account"
    """What the action is asked of."""
    prepare: Callable[[Call], None] | None = None
    """Long work on the request, done before the state is locked."""
