"""How a call to Azure OpenAI ends: openai's exceptions in our words, and its listings page by page,
with an end.
"""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from shared.errors import (
    OutcomeUnknown,
    ServiceRejected,
    ServiceUnavailable,
    TuneDropError,
    retry_after_s,
)
from shared.services import call_limits, openai_facts, service_text
from shared.services.answer_fields import Told, Unusable
from shared.services.openai_facts import FileFacts, JobFacts

log = logging.getLogger("tunedrop")
SERVICE = "Azure OpenAI"


@contextmanager
def translated(within_s: float | None = None, *, creating: bool = False) -> Generator[None]:
    """A call that is over in so many seconds, a read in its usual time; openai's exceptions as
    ours.
    """
    import openai

    # While creating, only an answer that says no is a no; a timeout, a reset, 408, 409, 5xx or an
    # unusable answer leave the outcome unknown. 429 with an error body certainly took nothing.
    unclear = OutcomeUnknown if creating else ServiceUnavailable
    try:
        with call_limits.within(within_s or call_limits.limits().read_s):
            yield
    except openai.APIStatusError as error:
        raise _refusal(error, creating) from None
    except openai.APIConnectionError as error:
        if isinstance(error.__cause__, TuneDropError):
            raise error.__cause__ from None
        raise unclear(SERVICE, _reason(error)) from None
    except (Unusable, call_limits.Exceeded) as error:
        raise unclear(SERVICE, f"its answer can't be used: {error}") from None
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        RecursionError,
        TimeoutError,
    ) as error:
        # The client found something else in the answer than it looked for: a type that isn't ASCII,
        # lists in lists without end.
        raise unclear(SERVICE, f"its answer can't be used: {type(error).__name__}") from None
    except openai.OpenAIError as error:
        raise ServiceRejected(
            SERVICE, None, type(error).__name__, "the client refused its own settings"
        ) from None


def _reason(error: Exception) -> str:
    """What stopped the call; only our own limits have words without secrets."""
    cause = error.__cause__
    if isinstance(cause, call_limits.Exceeded):
        return f"its answer can't be used: {cause}"
    return f"{type(error).__name__} ({type(cause).__name__})" if cause else type(error).__name__


def _refusal(error: Any, creating: bool) -> Exception:
    told = Told.leniently(error.body)
    code, status = service_text.code(told.fields.get("code")), int(error.status_code)
    wait_s = retry_after_s(error.response.headers.get("retry-after"))
    if status == 429 and told.fields:
        return ServiceUnavailable(SERVICE, f"429 {code}", wait_s)
    if status in {408, 409, 429} or status >= 500:
        return (OutcomeUnknown if creating else ServiceUnavailable)(
            SERVICE, f"{status} {code}", wait_s
        )
    # A gateway's 404 is no "there is none".
    if code == "unexpectedEntityState" or (status == 404 and not told.fields and not creating):
        return ServiceUnavailable(SERVICE, f"{status} {code}")
    return ServiceRejected(
        SERVICE,
        status,
        code,
        told.words("message") or "no message",
        service_text.ident(error.request_id),
    )


def or_none[T](ask: Callable[[], T]) -> T | None:
    """The answer; None where the service says that there is none."""
    try:
        with translated():
            return ask()
    except ServiceRejected as refusal:
        if refusal.status == 404:
            return None
        raise


def each(ask: Callable[[dict[str, Any]], Any]) -> Iterator[Told]:
    """The objects of a listing, page by page; `ask` gets what the next page is asked for with.

    Raises:
        Unusable: the pages have no end.
    """
    after: dict[str, Any] = {}
    for _ in range(call_limits.limits().pages):
        page = Told.read(ask(after).content)
        found = page.listed("data")
        yield from found
        if not page.flag("has_more"):
            return
        # More is said to come, and nothing says after what.
        if not found:
            break
        last = {"after": found[-1].ident("id")}
        if last == after or not last["after"]:
            break
        after = last
    raise Unusable("its pages have no end")


def file_or_none(told: Told) -> FileFacts | None:
    """A file among others; None, and a line in the log, where its facts can't be used."""
    try:
        return openai_facts.file_of(told)
    except Unusable as why:
        # Somebody else's: among all files, one that is strange hides no other.
        log.info("file of the resource left out", extra={"why": str(why)})
        return None


def known[T: (FileFacts, JobFacts)](made: T) -> T:
    """What was made, by its id.

    Raises:
        OutcomeUnknown: a 2xx answer without an id has made something that nobody can name: look it
            up.
    """
    if not made.id:
        raise OutcomeUnknown(SERVICE, "the answer holds no id")
    return made
