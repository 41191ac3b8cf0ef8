"""Claims: who holds a content or a deployment's name, and whom the holder took it from. Pure; the
ledger keeps them.
"""

from collections.abc import Iterable

from shared.models.base import Frozen
from shared.models.record import Outcome, RunRecord

FALLBACKS = (
    50  # earlier holders that a claim remembers; the last success and the last model besides
)


class Claim(Frozen):
    """Who holds what the claim is about."""

    run_id: str
    before: tuple[str, ...] = ()
    """Runs that still held it when it was taken by force: where the taker ends badly, it is theirs
    again.
    """
    succeeded: str | None = None
    """The last of the earlier holders that succeeded: no number of later ones that fail makes
    anybody forget it.
    """
    trained: str | None = None
    """The last of the earlier holders that succeeded, or else trained a model and ended otherwise:
    its model can be deployed again.
    """


def held(holders: list[str], others: list[RunRecord]) -> Claim:
    """The claim of the first of these holders, and what it must remember of the others that
    had it.
    """
    return Claim(
        run_id=holders[0],
        before=tuple(holders[1 : FALLBACKS + 1]),
        succeeded=next(
            (record.id for record in others if record.outcome is Outcome.SUCCEEDED), None
        ),
        trained=_trained(others),
    )


def _trained(holders: list[RunRecord]) -> str | None:
    trained = [record for record in holders if record.job and record.job.fine_tuned_model]
    return next(
        (
            record.id
            for record in sorted(
                trained, key=lambda record: record.outcome is not Outcome.SUCCEEDED
            )
        ),
        None,
    )


def last_first(records: Iterable[RunRecord]) -> list[RunRecord]:
    """The runs that had a claim, the last one to take it first."""
    return sorted(records, key=lambda record: record.turn_at or record.created_at, reverse=True)
