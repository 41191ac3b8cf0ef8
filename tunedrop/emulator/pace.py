"""How fast things progress: a policy for each kind of thing, changeable while the stand-in runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, cast


# At once, after n reads of the thing, or after s seconds. A fraction of the way is what the state
# machines ask for, so that a job has phases under each of them.
@dataclass(frozen=True, slots=True)
class Policy:
    """How one kind of thing gets from its first state to its last; neither field set: at once."""

    reads: int | None = None
    seconds: float | None = None

    def gained(self, elapsed_s: float, reads: int) -> float:
        """The fraction of the whole way that so many seconds or reads bring; not capped."""
        if self.reads is not None:
            return reads / self.reads
        if self.seconds is not None:
            return elapsed_s / self.seconds
        return 1.0

    def moment(self, since: float, fraction: float, now: float) -> float:
        """When the fraction was gained, counted from `since`; `now` where no time drives the
        policy.
        """
        return since + fraction * self.seconds if self.seconds is not None else now

    def to_json(self) -> Any:
        """The form that `policy` reads."""
        if self.reads is not None:
            return {"after_reads": self.reads}
        return {"after_seconds": self.seconds} if self.seconds is not None else "at_once"


AT_ONCE = Policy()


def after_reads(count: int) -> Policy:
    """Done when the thing itself has been read so often; the last of these reads sees it done."""
    return Policy(reads=count)


def after_seconds(seconds: float) -> Policy:
    """Done when so much time has passed."""
    return Policy(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """The policies of one stand-in."""

    file: Policy
    """From an upload to `processed`."""
    job: Policy
    """From the creation of a job to its end, where it finds a free slot at once."""
    deployment: Policy
    """From `Accepted` to `Succeeded`."""
    readiness: Policy
    """From `Succeeded` to the first answer on the data plane; reads are chat calls."""
    deletion: Policy
    """From a DELETE of a deployment to its absence."""

    def to_json(self) -> dict[str, Any]:
        """The form that `parse` reads."""
        return {name: Policy(**policy).to_json() for name, policy in asdict(self).items()}


def _seconds(file: float, job: float, deployment: float, readiness: float, deletion: float) -> Pace:
    return Pace(*(after_seconds(value) for value in (file, job, deployment, readiness, deletion)))


INSTANT = Pace(AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE)
FAST = _seconds(file=0.3, job=3, deployment=0.6, readiness=0.4, deletion=0.2)
DEMO = _seconds(file=1, job=8, deployment=2, readiness=1, deletion=1)
# A real 10-example job of May 2025 took 3,966 s; deployments have no published figure, minutes are
# usual.
REAL = _seconds(file=60, job=3966, deployment=300, readiness=120, deletion=20)
NAMED = {"instant": INSTANT, "fast": FAST, "local": DEMO, "demo": DEMO, "real": REAL}


def policy(value: object) -> Policy:
    """Read one policy: "at_once", {"after_reads": n} or {"after_seconds": s}; else raises
    ValueError.
    """
    match value:
        case "at_once":
            return AT_ONCE
        case {"after_reads": int(count)} if (
            len(cast("Mapping[str, Any]", value)) == 1 and count > 0
        ):
            return after_reads(count)
        case {"after_seconds": int() | float() as seconds} if (
            len(cast("Mapping[str, Any]", value)) == 1 and seconds > 0
        ):
            return after_seconds(float(seconds))
        case _:
            msg = (
                'A policy is "at_once", {"after_reads": n} or {"after_seconds": s}, with n and s '
                "above zero."
            )
            raise ValueError(msg)


def parse(value: object, base: Pace = DEMO) -> Pace:
    """Read a pace, a name or an object that replaces some of the base's policies; or raises
    ValueError.
    """
    if isinstance(value, str):
        if value not in NAMED:
            msg = f"A pace is one of {', '.join(NAMED)}, or a JSON object."
            raise ValueError(msg)
        return NAMED[value]
    known = {field.name for field in fields(Pace)}
    if not isinstance(value, Mapping) or not set(cast("Mapping[str, Any]", value)) <= known:
        msg = f"A pace object has only the keys {', '.join(sorted(known))}."
        raise ValueError(msg)
    return replace(
        base, **{name: policy(part) for name, part in cast("Mapping[str, Any]", value).items()}
    )
