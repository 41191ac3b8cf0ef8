"""What a run makes outside of itself: one row a kind, in the order in which its end takes it back.
Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shared.models.base import Frozen
from shared.models.plan import Role

if TYPE_CHECKING:
    from shared.models.record import Outcome


class TakeBack(Frozen):
    """One thing that the end of a run takes back: by which activity, and of which file."""

    activity: str
    role: Role | None = None


@dataclass(frozen=True)
class EffectKind:
    """One kind of thing that a run makes at a service."""

    kind: str
    """Its name in the record of a run."""
    label: str
    """What a report calls it."""
    taken_back_by: str
    """The activity that takes it back."""
    taken_back: str
    """What a report says once that is done."""
    after_success: Literal["stays", "second ones go", "goes"]
    costs: bool
    """Whether it costs money or a place on the account for as long as it is there."""
    each_file: bool = False
    """Whether the run makes one for each of its files."""

    def named(self, role: Role | None = None) -> str:
        """The name of the effect in the record: of a kind that each file has, the role's own."""
        return f"{self.kind}:{role}" if role else self.kind

    def names(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """The names of all effects of this kind that a run with these files may have."""
        return tuple(self.named(role) for role in roles) if self.each_file else (self.named(),)


DEPLOYMENT = EffectKind(
    "deployment", "deployment", "delete_deployment", "deleted", after_success="stays", costs=True
)
JOB = EffectKind(
    "job",
    "fine-tuning job",
    "cancel_job",
    "cancelled, or had ended",
    after_success="second ones go",
    costs=True,
)
FILE = EffectKind(
    "file", "file", "delete_file", "deleted", after_success="goes", costs=False, each_file=True
)
# Every kind, in the order of taking back: what costs by the hour goes first, what others are made
# of goes last.
EFFECTS = (DEPLOYMENT, JOB, FILE)


def kind_of(name: str) -> EffectKind:
    """The kind of an effect by its name in the record."""
    kind = name.partition(":")[0]
    # A later release may have made one that this one doesn't know: it is told by its name.
    unknown = EffectKind(kind, kind, "", "taken back", after_success="stays", costs=True)
    return next((known for known in EFFECTS if known.kind == kind), unknown)


def label_of(name: str) -> str:
    """What a report calls this effect, such as "training file"."""
    return f"{name.partition(':')[2]} {kind_of(name).label}".strip()


def to_take_back(outcome: "Outcome", roles: Iterable[Role]) -> tuple[TakeBack, ...]:
    """What a run that ends so takes back, in this order."""
    # Of its files the last one first.
    files: tuple[Role, ...] = tuple(sorted(roles, reverse=True))
    return tuple(
        TakeBack(activity=kind.taken_back_by, role=role)
        for kind in EFFECTS
        if outcome.undoes or kind.after_success != "stays"
        for role in (files if kind.each_file else (None,))
    )
