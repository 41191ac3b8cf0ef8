"""What Azure OpenAI tells of files, jobs and answers, in our words; each field is what it is said
to be, or the answer is unusable.
"""

import base64
import binascii
from dataclasses import dataclass

from shared.services import service_text
from shared.services.answer_fields import Told, Unusable, finite

ENDED = frozenset({"succeeded", "failed", "cancelled"})
EVENT_CHARS = 1_000
METRICS = 32  # an event of a published job has seven
METRIC_CHARS = 64
# The first api-version that takes `method` and `trainingType`: fine-tuning guide, REST page.
METHODS_SINCE = "2025-04-01-preview"


@dataclass(frozen=True)
class FileFacts:
    """A file at the service. `status`: pending, running, processed, error; older ones uploaded,
    deleting, deleted.
    """

    id: str
    name: str
    status: str
    bytes: int | None
    reason: str | None = None
    created_at: int = 0


@dataclass(frozen=True)
class JobFacts:
    """A fine-tuning job. A status that we don't know means "still going"."""

    id: str
    status: str
    training_file: str
    created_at: int
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    trained_tokens: int | None = None
    n_epochs: int | None = None
    result_files: tuple[str, ...] = ()
    error_code: str | None = None
    error_message: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the status will not change any more."""
        return self.status in ENDED


@dataclass(frozen=True)
class JobEvent:
    """One event of a job; `metrics` holds step and losses where it is of that type."""

    id: str
    created_at: int
    level: str
    message: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class Reply:
    """An answer. `blocked`: the content filter stopped the prompt or the answer; `model`: its name
    by the service.
    """

    text: str
    blocked: bool = False
    model: str | None = None


def file_of(told: Told) -> FileFacts:
    """A file.

    Raises:
        Unusable: a field is not what it must be.
    """
    return FileFacts(
        id=told.ident("id"),
        name=told.name("filename", ""),
        status=told.name("status", ""),
        bytes=told.whole_or_none("bytes"),
        reason=told.words("status_details"),
        created_at=told.second("created_at") or 0,
    )


def job_of(told: Told) -> JobFacts:
    """A job.

    Raises:
        Unusable: a field is not what it must be.
    """
    error = told.inner("error")
    return JobFacts(
        id=told.ident("id"),
        status=told.name("status"),
        training_file=told.ident("training_file"),
        created_at=told.second("created_at") or 0,
        fine_tuned_model=told.name("fine_tuned_model", "") or None,
        finished_at=told.second("finished_at"),
        trained_tokens=told.whole_or_none("trained_tokens"),
        n_epochs=_epochs(told),
        result_files=tuple(_result_file(value) for value in told.values("result_files")),
        error_code=service_text.code(error.fields["code"]) if error.has("code") else None,
        error_message=error.words("message"),
    )


def _result_file(value: object) -> str:
    found = Told({"id": value}).ident("id")
    if not found:
        raise Unusable("`result_files` holds no id")
    return found


def _epochs(told: Told) -> int | None:
    """The epochs; None while the service has not settled them: it tells -1 or "auto" then."""
    method = told.inner("method")
    settled = (
        told.inner("hyperparameters").fields
        or method.inner(method.name("type", "")).inner("hyperparameters").fields
    )
    epochs = settled.get("n_epochs")
    return (
        epochs
        if isinstance(epochs, int) and not isinstance(epochs, bool) and 0 < epochs <= 1_000
        else None
    )


def event_of(told: Told) -> JobEvent:
    """An event; what is strange in it is left out."""
    # An event is for people and decides nothing: none of it makes the answer unusable.
    try:
        created_at = told.second("created_at") or 0
    except Unusable:
        created_at = 0
    named = list(Told.leniently(told.fields.get("data")).fields.items())[:METRICS]
    numbers = {service_text.told(name, METRIC_CHARS): finite(value) for name, value in named}
    return JobEvent(
        id=service_text.ident(told.fields.get("id")) or "",
        created_at=created_at,
        level=service_text.code(told.fields.get("level")),
        message=told.words("message", EVENT_CHARS) or "",
        metrics={name: number for name, number in numbers.items() if number is not None},
    )


def reply_of(told: Told) -> Reply:
    """The answer of a chat completion; an empty text where the service gives no choice.

    Raises:
        Unusable: a field is not what it must be.
    """
    choice = next(iter(told.listed("choices")), None)
    if choice is None:
        return Reply("", model=told.name("model", "") or None)
    if not (choice.has("message") or choice.has("finish_reason")):
        raise Unusable("its choice says nothing")
    text = choice.inner("message").fields.get("content")
    if text is not None and not isinstance(text, str):
        raise Unusable("`content` is no text")
    return Reply(
        text or "",
        choice.fields.get("finish_reason") == "content_filter",
        told.name("model", "") or None,
    )


def decoded_results(content: bytes) -> bytes:
    """The CSV of a results file; what is neither CSV nor base64 is answered as it came."""
    # A comma stands in no base64, and in each first line of a CSV.
    if b"," in content[:200]:
        return content
    # OpenAI's own service sends it in base64.
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return content


def carries_methods(version: str | None) -> bool:
    """Whether this surface takes `method` and `trainingType`; None is the v1 surface."""
    return version is None or version >= METHODS_SINCE
