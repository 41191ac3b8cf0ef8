"""What the activities answer: a value of its own for each that tells the story more than that it is
done.
"""

from shared.models.base import Frozen
from shared.models.effect_kinds import TakeBack
from shared.models.plan import Role
from shared.models.record import JobProgress, Outcome


class Opened(Frozen):
    """Where a run stands that is begun, or taken up again."""

    ended: bool = False
    unreported: bool = False
    """Whether it has ended and has no report."""


class FileSize(Frozen):
    """How large a file of the run is."""

    bytes: int


class PlanMade(Frozen):
    """What there is to scan."""

    files: dict[Role, FileSize]
    span_bytes: int
    reuse: bool = False
    """Whether the run deploys a trained model: it scans, uploads and trains nothing."""


class Asked(Frozen):
    """What a part of the gate says of a run that it lets through."""

    reuse: bool = False
    """As in PlanMade: a run can become one that deploys again while it waits for another with the
    same content.
    """


class Booked(Asked):
    """That the run is booked in the wallet."""

    waited_s: float = 0
    """How long it has waited at the gate; 0 where it did not wait."""


class JobSeen(Frozen):
    """How the fine-tuning job is."""

    progress: JobProgress = JobProgress()


class EndingDecided(Frozen):
    """How the run ends, and what it takes back."""

    outcome: Outcome
    roles: tuple[Role, ...] = ()
    """The files that the run may have at the service."""
    take_back: tuple[TakeBack, ...] | None = None
    """What goes, in this order. None in histories of the first releases, whose stories knew it."""


class Made(Frozen):
    """The thing that the run has made, or has taken back."""

    id: str | None = None


class Reported(Frozen):
    """Where the report stands in its container."""

    report: str
