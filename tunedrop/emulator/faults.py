"""Faults as data: on which operation, when, what then, how often.

Two sorts share one list. A *call fault* changes the answer to one operation (`on` is its name in the ledger, `*`
allowed). An *outcome fault* decides the fate of a thing when it is created (`on` is file, job, deployment or readiness).
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

type Doc = dict[str, Any]

RAI_DATA = (
    "The provided training data failed RAI checks for harm types: [hate_fairness, self_harm, violence]. Please fix the data and try again."
)
RAI_MODEL = (
    "This model is unable to be deployed. Model evaluation identified that this fine tuned model scores above acceptable thresholds for "
    "[Violence, Self Harm]. Please review your training data set and resubmit the job."
)
CONTENT_FILTER = (
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. "
    "To learn more about our content filtering policies please read our documentation."
)

PRESETS: dict[str, Doc] = {
    "content_filter": {"status": 400, "code": "content_filter", "message": CONTENT_FILTER, "param": "prompt"},
    "retired": {"status": 410, "code": "ModelRetired", "message": "The model of this deployment has been retired."},
    "unauthorized": {
        "status": 401,
        "code": "unauthorized",
        "message": "Access denied due to invalid subscription key or wrong API endpoint.",
    },
    "forbidden": {"status": 403, "code": "forbidden", "message": "The principal lacks the required data action to perform this operation."},
    "busy": {
        "status": 409,
        "code": "RequestConflict",
        "message": "Another operation is being performed on the parent resource. Please try again later.",
    },
    "drop_connection": {"drop_connection": True},
    "truncated": {"body": "truncated"},
    "rai_data": {"ends": "failed", "code": "trainingDataFailedRai", "message": RAI_DATA, "phase": "data"},
    "rai_model": {"ends": "failed", "code": "modelEvaluationFailed", "message": RAI_MODEL, "phase": "model"},
    "never": {"ends": "never"},
}
"""Faults that have a name, so that a plan need not repeat their text."""

_OUTCOMES = {"file": {"error"}, "job": {"failed"}, "deployment": {"Failed"}, "readiness": {"never"}}
_ANSWER = {"status", "code", "message", "param", "retry_after", "headers"}


@dataclass(slots=True)
class Fault:
    """One fault; `times` None is for ever, `skip` lets so many matches pass first."""

    on: str
    then: Doc
    when: str = "before"
    times: int | None = 1
    skip: int = 0

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
        return {"on": self.on, "when": self.when, "then": self.then, "times": self.times, "skip": self.skip}


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
        if then.get("ends") not in _OUTCOMES[on] or not set(then) <= {"ends", "code", "message", "phase"}:
            msg = f"On {on}, `then` is {{'ends': {sorted(_OUTCOMES[on])[0]!r}}} with code and message."
            raise ValueError(msg)
        return then
    shapes = (_ANSWER, {"drop_connection"}, {"delay_s"}, {"body"}, {"lag_s"})
    if not then or not any(set(then) <= shape for shape in shapes):
        msg = "A call fault's `then` is an answer {status, code, message, param, retry_after}, drop_connection, delay_s, body or lag_s."
        raise ValueError(msg)
    if set(then) <= _ANSWER and not isinstance(then.get("status"), int):
        msg = "An answer has a status."
        raise ValueError(msg)
    return then


def parse(value: object) -> Fault:
    """Read one fault; raises ValueError that says what a fault is."""
    if not isinstance(value, dict) or not set(cast("Doc", value)) <= {"on", "when", "then", "times", "skip"}:
        msg = "A fault is an object with on, then, and optionally when, times, skip."
        raise ValueError(msg)
    doc = cast("Doc", value)
    on, when, times, skip = doc.get("on"), doc.get("when", "before"), doc.get("times", 1), doc.get("skip", 0)
    if not isinstance(on, str) or when not in ("before", "after_commit"):
        msg = "`on` is the name of an operation or thing; `when` is before or after_commit."
        raise ValueError(msg)
    if not (times is None or (isinstance(times, int) and times > 0)) or not isinstance(skip, int) or skip < 0:
        msg = "`times` is a number above zero or null for ever; `skip` is a number from 0 up."
        raise ValueError(msg)
    return Fault(on, _then(on, doc.get("then")), when, times, skip)


def take(plan: list[Fault], on: str, when: str) -> Doc | None:
    """The `then` of the first fault that meets this operation now, counted; faults that are spent leave the plan."""
    for fault in plan:
        if fault.when == when and fnmatchcase(on, fault.on) and fault.take():
            if fault.times == 0:
                plan.remove(fault)
            return fault.then
    return None
