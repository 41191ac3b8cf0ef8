"""What blob storage answers, in our words: its refusals, its facts of a blob, its content, and
metadata that is ASCII whatever it holds.
"""

import logging
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
)

from shared.errors import ServiceRejected, ServiceUnavailable, TuneDropError
from shared.services import call_limits, service_text
from shared.services.answer_fields import MOST
from shared.settings import is_loopback

log = logging.getLogger("tunedrop")
SERVICE = "Storage"
# Statuses that pass, as those from 500 on do. 401 and 403 too: a new role takes minutes to arrive
# (RBAC troubleshooting page).
TRANSIENT = {401, 408, 429}
# Codes that pass; so do all that speak of a lease: somebody holds the blob for a while.
NOT_NOW = frozenset(
    {
        "AccountBeingCreated",
        "BlobBeingRehydrated",
        "ContainerBeingDeleted",
        "OperationTimedOut",
        "PendingCopyOperation",
        "ServerBusy",
        "SystemInUse",
    }
)
# Codes of a conflict that say: there is one already.
STANDS_IN_THE_WAY = frozenset(
    {
        "BlobAlreadyExists",
        "ContainerAlreadyExists",
        "ResourceAlreadyExists",
        "ConditionNotMet",
        "TargetConditionNotMet",
    }
)
_RANGE = re.compile(r"bytes[ =](\d{1,16})-(\d{1,16})", re.ASCII)
ETAG_CHARS = 128
# Names and values of a blob's metadata together (Azure's limit).
METADATA_BYTES = 8 * 2**10
# Before a value that is escaped, as in RFC 8187; what is plain ASCII stands as it is.
ESCAPED = "utf-8''"


@dataclass(frozen=True)
class BlobFacts:
    """A blob as listed. `kind`: block, page or append; `archived`: its bytes can't be read."""

    name: str
    etag: str
    bytes: int
    modified: datetime
    metadata: dict[str, str]
    kind: str = "block"
    archived: bool = False


@dataclass(frozen=True)
class Stored:
    """A blob's content, its ETag, and the time by the service's clock."""

    content: bytes
    etag: str
    now: datetime


@dataclass(frozen=True)
class Swapped:
    """A write that was taken: the blob's ETag since then, and the time by the service's clock; None
    for what isn't told.
    """

    etag: str | None = None
    now: datetime | None = None


class TooLarge(TuneDropError):
    """The blob has more bytes than its reader takes; none of them was read."""

    kind = "service"

    def __init__(self, size: int, most: int) -> None:
        self.bytes = size
        self.most = most
        super().__init__(
            "TD-STORAGE-001",
            f"A blob has {size:,} bytes; TuneDrop reads at most {most:,} of its kind.",
            (
                "TuneDrop never writes such a large blob: find out who wrote it, and restore "
                "the blob from its versions."
            ),
        )


class ContainerMissing(ServiceUnavailable):
    """The container isn't there and was not made."""

    def __init__(self, container: str, why: str) -> None:
        super().__init__(SERVICE, f"the container {container} is missing: {why}")
        fix = (
            "Create the container, or give the app's identity a role with the right to create "
            "it. If the ledger was lost, restore it: docs/operating.md."
        )
        self.problem = self.problem.model_copy(update={"code": "TD-STORAGE-002", "fix": fix})


class NotAllowed(ServiceUnavailable):
    """The app's identity may not do this in the container, yet."""

    def __init__(self, container: str, told: str) -> None:
        # "Yet": a role that was just given takes minutes to arrive.
        super().__init__(
            SERVICE,
            (f"the app's identity has no right to do this in the container {container}: {told}"),
        )
        fix = (
            "Give the app's identity Storage Blob Data Reader on the container of the drops, "
            "and Storage Blob Data Contributor on the containers of the reports and the "
            "ledger; a new assignment needs some minutes. docs/security.md lists every role."
        )
        self.problem = self.problem.model_copy(update={"code": "TD-STORAGE-003", "fix": fix})


class Changed(Exception):
    """The blob is not the one that was pinned: another ETag, or gone."""


@contextmanager
def translated(*values: type[HttpResponseError]) -> Generator[None]:
    """A call that is over in a read's time; the client's exceptions as ours, but for `values`."""
    try:
        with call_limits.within(call_limits.limits().read_s):
            yield
    except HttpResponseError as error:
        if isinstance(error, values) and _is_value(error):
            raise
        raise _refusal(error) from None
    except call_limits.Exceeded as error:
        raise ServiceUnavailable(SERVICE, f"its answer can't be used: {error}") from None
    except (AzureError, TimeoutError) as error:
        raise ServiceUnavailable(SERVICE, type(error).__name__) from None
    except (
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        ArithmeticError,
        RecursionError,
    ) as error:
        # The client found something else in the answer than it looked for: a word for a number, no
        # date, no size.
        log.warning("answer of storage unusable", extra={"error": type(error).__name__})
        raise ServiceUnavailable(
            SERVICE, f"its answer can't be used: {type(error).__name__}"
        ) from None


def _is_value(error: HttpResponseError) -> bool:
    """Whether a refusal is storage's own, by its code, and says what its status usually does."""
    code = code_of(error)
    # 409 stands for many things, such as a container that is being deleted.
    return code in STANDS_IN_THE_WAY if isinstance(error, ResourceExistsError) else code is not None


def _refusal(error: HttpResponseError) -> ServiceUnavailable | ServiceRejected:
    status, code = error.status_code or 0, code_of(error)
    reason = service_text.told(error.reason)
    if status == 403:
        return NotAllowed(_container_of(error), f"{status} {code or reason}")
    # Storage always tells its code: somebody else answers in its place.
    strangers = code is None and status in {
        404,
        409,
        412,
    }
    # Under 400: a yes whose body broke off.
    passes = status < 400 or status >= 500 or status in TRANSIENT or strangers
    if passes or code in NOT_NOW or (code or "").startswith("Lease"):
        return ServiceUnavailable(SERVICE, f"{status} {code or reason}")
    return ServiceRejected(SERVICE, status, code or "unknown", reason)


def _container_of(error: HttpResponseError) -> str:
    """The container that the refused request was about: the first part of its path."""
    address = str(getattr(getattr(error.response, "request", None), "url", ""))
    parts = urlsplit(address).path.strip("/").split("/")
    # On a loopback address (Azurite) the account's name stands before it.
    return (
        service_text.ident(parts[1] if is_loopback(address) and len(parts) > 1 else parts[0])
        or "of this call"
    )


def code_of(error: HttpResponseError) -> str | None:
    """The service's code; None where it has told none."""
    code = getattr(error, "error_code", None)
    return service_text.code(str(getattr(code, "value", code))) if code else None


def facts_of(found: Any) -> BlobFacts:
    """A blob's properties; raises TypeError or ValueError where one isn't what it must be."""
    name, etag, size, modified = found.name, etag_of(found.etag), found.size, found.last_modified
    if not (isinstance(name, str) and isinstance(modified, datetime)):
        msg = "a property is missing"
        raise TypeError(msg)
    if not isinstance(size, int) or not 0 <= size <= MOST:
        msg = "a size is none"
        raise ValueError(msg)
    # An archived blob stays so until it is brought back, which takes hours.
    return BlobFacts(
        name=name,
        etag=etag,
        bytes=size,
        modified=modified,
        metadata={
            str(key): text_of(str(value))
            for key, value in cast("dict[Any, Any]", found.metadata or {}).items()
        },
        kind=service_text.code(str(getattr(found.blob_type, "value", found.blob_type)))
        .removesuffix("Blob")
        .lower(),
        archived=found.blob_tier == "Archive",
    )


def etag_of(told: object) -> str:
    """A blob's ETag without its quotes.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not isinstance(told, str):
        msg = "an ETag is missing"
        raise TypeError(msg)
    etag = told.strip('"')
    # It goes back in a header, and into the id of a run.
    if not (etag and etag.isascii() and etag.isprintable() and len(etag) <= ETAG_CHARS):
        msg = "an ETag is none"
        raise ValueError(msg)
    return etag


def whole_size(headers: Mapping[str, str]) -> int:
    """The blob's size, whichever part of it the answer holds; names in lower case."""
    # A part has both: `Content-Range: bytes 0-99/1000`, and its own length.
    total = headers.get("content-range", "").rpartition("/")[2] or headers.get("content-length", "")
    return int(total) if total.isdecimal() else 0


def hold_to_range(response: Any) -> None:
    """Holds a part of a blob to what was asked for, before its bytes are read.

    Raises:
        ServiceUnavailable: it is another part, or has another length than it says; the answer is
            closed.
    """
    answer = response.http_response
    if answer.status_code != 206:
        return
    asked = response.http_request.headers
    # The client would put wrong parts together.
    start, stop = (
        _RANGE.match(asked.get("x-ms-range") or asked.get("range") or ""),
        _RANGE.match(answer.headers.get("content-range", "")),
    )
    length = answer.headers.get("content-length", "")
    if not (
        start
        and stop
        and start[1] == stop[1]
        and length.isdecimal()
        and int(length) == int(stop[2]) - int(stop[1]) + 1
    ):
        answer.close()
        raise ServiceUnavailable(SERVICE, "a part of a blob is not the one that was asked for")


def time_of(headers: Mapping[str, str]) -> datetime:
    """The time by the service's clock; names in lower case."""
    return (
        parsedate_to_datetime(headers["date"]).astimezone(UTC)
        if "date" in headers
        else datetime.now(UTC)
    )


def swapped_of(headers: Mapping[str, str]) -> Swapped:
    """What the answer to a write tells; names in lower case."""
    try:
        now = parsedate_to_datetime(headers["date"]).astimezone(UTC)
        return Swapped(etag_of(headers.get("etag")), now)
    # The write is taken, whatever else is told.
    except (LookupError, TypeError, ValueError):
        return Swapped()


def ascii_of(metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    """Metadata as a header can carry it; a value for which there is no room is left out."""
    if metadata is None:
        return None
    kept: dict[str, str] = {}
    left = METADATA_BYTES
    for key, value in metadata.items():
        plain = (
            value.isascii()
            and value.isprintable()
            and value == value.strip()
            and not value.startswith(ESCAPED)
        )
        written = (
            value
            if plain
            else ESCAPED + quote(value, safe="!#$&()*+,/:;<=>?@[]{}|^`\"'~", errors="surrogatepass")
        )
        # Whoever looks for a value that is left out reads the blob.
        left -= len(key) + len(written)
        if left < 0:
            log.warning("metadata of a blob left out", extra={"key": key, "chars": len(written)})
            left += len(key) + len(written)
        else:
            kept[key] = written
    return kept


def text_of(value: str) -> str:
    """The text that `ascii_of` wrote; what it did not write is answered as it is."""
    return (
        unquote(value.removeprefix(ESCAPED), errors="surrogatepass")
        if value.startswith(ESCAPED)
        else value
    )
