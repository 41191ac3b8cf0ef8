"""Faults as data: on which operation, about what, when, what then, how often.

A *call fault* changes the answer to one operation (`on` is its name in the ledger, `*` allowed). An
*outcome fault* decides the fate of a thing when it is created (`on` is file, job, deployment or
readiness). `about`: a text that the request, or the thing that it names, must hold.
"""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

type Doc = dict[str, Any]

RAI_DATA = (
    "The provided training data failed RAI checks for harm types: [hate_fairness, self_harm, "
    "violence]. Please fix the data and try again."
)
RAI_MODEL = (
    "This model is unable to be deployed. Model evaluation identified that this fine tuned "
    "model scores above acceptable thresholds for "
    "[Violence, Self Harm]. Please review your training data set and resubmit the job."
)
CONTENT_FILTER = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management "
    "policy. Please modify your prompt and retry. "
    "To learn more about our content filtering policies please read our documentation."
)
RETIRED = "The model of this deployment has been retired."

# Faults that have a name, so that a plan need not repeat their text.
PRESETS: dict[str, Doc] = {
    "content_filter": {
        "status": 400,
        "code": "content_filter",
        "message": CONTENT_FILTER,
        "param": "prompt",
    },
    "retired": {"status": 410, "code": "ModelRetired", "message": RETIRED},
    "unauthorized": {
        "status": 401,
        "code": "unauthorized",
        "message": "Access denied due to invalid subscription key or wrong API endpoint.",
    },
    "forbidden": {
        "status": 403,
        "code": "forbidden",
        "message": "The principal lacks the required data action to perform this operation.",
    },
    "busy": {
        "status": 409,
        "code": "RequestConflict",
        "message": (
            "Another operation is being performed on the parent resource. Please try again later."
        ),
    },
    "drop_connection": {"drop_connection": True},
    "truncated": {"body": "truncated"},
    "rai_data": {
        "ends": "failed",
        "code": "trainingDataFailedRai",
        "message": RAI_DATA,
        "phase": "data",
    },
    "rai_model": {
        "ends": "failed",
        "code": "modelEvaluationFailed",
        "message": RAI_MODEL,
        "phase": "model",
    },
    "never": {"ends": "never"},
}

_OUTCOMES = {
    "file": {"error", "never"},
    "job": {"failed", "never"},
    "deployment": {"Failed", "Canceled", "never"},
    "readiness": {"never"},
}
_ANSWER = {"status", "code", "message", "param", "retry_after", "headers"}
# What may stand in place of an answer's JSON: half of it, nothing, a gateway's HTML page.
BODIES = ("truncated", "empty", "page")
# Every operation by its name in the ledger.
OPERATIONS = frozenset(
    {
        *(f"accounts.{name}" for name in ("get", "list_models")),
        *(f"deployments.{name}" for name in ("create_or_update", "delete", "get", "list")),
        *(f"files.{name}" for name in ("content", "create", "delete", "list", "retrieve")),
        *(
            f"fine_tuning.jobs.{name}"
            for name in (
                "cancel",
                "create",
                "delete",
                "list",
                "list_events",
                "pause",
                "resume",
                "retrieve",
            )
        ),
        *(f"locations.{name}" for name in ("list_models", "operation_status")),
        *(f"models.{name}" for name in ("list", "retrieve")),
        "chat.completions.create",
        "fine_tuning.jobs.checkpoints.list",
        "permissions.list_for_resource",
        "rai_policies.list",
        "usages.list",
    }
)
_FIELDS = {"on", "about", "when", "then", "times", "skip"}


@dataclass(slots=True)
class Fault:
    """One fault; `times` None is for ever, `skip` lets so many matches pass first."""

    on: str
    then: Doc
    when: str = "before"
    times: int | None = 1
    skip: int = 0
    about: str | None = None

    def take(self) -> bool:
        """Whether this match meets the fault; counts it."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def to_json(self) -> Doc:
        """The form that `parse` reads."""
        told: Doc = {
            "on": self.on,
            "when": self.when,
            "then": self.then,
            "times": self.times,
            "skip": self.skip,
        }
        return told | ({"about": self.about} if self.about else {})


def _then(on: str, value: object) -> Doc:
    if isinstance(value, str):
        if value not in PRESETS:
            msg = f"A fault's `then` is an object or one of {', '.join(PRESETS)}."
            raise ValueError(msg)
        value = PRESETS[value]
    if not isinstance(value, dict):
        msg = "A fault's `then` is an object or a name."
        raise ValueError(msg)
    then = cast("Doc", value)
    if on in _OUTCOMES:
        if then.get("ends") not in _OUTCOMES[on] or not set(then) <= {
            "ends",
            "code",
            "message",
            "phase",
        }:
            ends = " or ".join(repr(end) for end in sorted(_OUTCOMES[on]))
            msg = f"On {on}, `then` is {{'ends': {ends}}} with code and message."
            raise ValueError(msg)
        return then
    shapes = (_ANSWER, {"drop_connection"}, {"delay_s"}, {"body"}, {"lag_s"}, {"patch"})
    if not then or not any(set(then) <= shape for shape in shapes):
        answer = "{status, code, message, param, retry_after}"
        msg = (
            f"A call fault's `then` is an answer {answer}, drop_connection, delay_s, body, patch "
            "or lag_s."
        )
        raise ValueError(msg)
    _check_values(then)
    return then


def _check_values(then: Doc) -> None:
    """Refuses a value that would only show when the fault strikes."""
    checks = {
        "An answer has a status from 200 to 599.": not set(then) <= _ANSWER
        or _between(then.get("status"), 200, 599),
        "delay_s is a number of seconds, an hour at most.": "delay_s" not in then
        or _between(then["delay_s"], 0, 3600),
        "lag_s is a number of seconds.": "lag_s" not in then
        or _between(then["lag_s"], 0, float("inf")),
        f"body is {' or '.join(BODIES)}.": "body" not in then or then["body"] in BODIES,
        "patch is an object that is laid over the answer.": "patch" not in then
        or isinstance(then["patch"], dict),
    }
    for sentence, holds in checks.items():
        if not holds:
            raise ValueError(sentence)


def _between(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def parse(value: object) -> Fault:
    """Read one fault; raises ValueError that says what a fault is."""
    if not isinstance(value, dict) or not set(cast("Doc", value)) <= _FIELDS:
        msg = "A fault is an object with on, then, and optionally about, when, times, skip."
        raise ValueError(msg)
    doc = cast("Doc", value)
    on, when, times, skip = (
        doc.get("on"),
        doc.get("when", "before"),
        doc.get("times", 1),
        doc.get("skip", 0),
    )
    about = doc.get("about")
    if not isinstance(on, str) or not (
        on in _OUTCOMES or any(fnmatchcase(name, on) for name in OPERATIONS)
    ):
        msg = (
            f"`on` is a thing ({', '.join(_OUTCOMES)}) or an operation, with * for any part: "
            f"{', '.join(sorted(OPERATIONS))}."
        )
        raise ValueError(msg)
    if when not in ("before", "after_commit") or not (
        about is None or (isinstance(about, str) and about)
    ):
        msg = "`when` is before or after_commit; `about` is a text."
        raise ValueError(msg)
    if (
        not (times is None or (isinstance(times, int) and times > 0))
        or not isinstance(skip, int)
        or skip < 0
    ):
        msg = "`times` is a number above zero or null for ever; `skip` is a number from 0 up."
        raise ValueError(msg)
    return Fault(on, _then(on, doc.get("then")), when, times, skip, about)


def read(path: Path) -> list[Any]:
    """The faults of a file, each of them checked.

    Raises:
        ValueError: it can't be read, is no JSON list, or holds something that is no fault; the
            sentence says which.
    """
    try:
        plan: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}."
        raise ValueError(msg) from None
    except ValueError:
        msg = f"{path} is not valid JSON in UTF-8."
        raise ValueError(msg) from None
    if not isinstance(plan, list):
        msg = f"{path} holds no list of faults."
        raise ValueError(msg)
    for number, value in enumerate(found := cast("list[Any]", plan), 1):
        try:
            parse(value)
        except ValueError as error:
            msg = f"{path}, fault {number}: {error}"
            raise ValueError(msg) from None
    return found


def take(plan: list[Fault], on: str, when: str, about: str = "") -> Doc | None:
    """The `then` of the first fault that meets this operation now, counted; `about` is all that is
    told of the request or the thing.
    """
    for fault in plan:
        if (
            fault.when == when
            and fnmatchcase(on, fault.on)
            and (fault.about is None or fault.about in about)
            and fault.take()
        ):
            if fault.times == 0:
                # Faults that are spent leave the plan.
                plan.remove(fault)
            return fault.then
    return None
