"""Bugs that a day of use, attack and reading found in the release before 0.2.0, put in one at a
time, as those of mutations.py.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from activities import make_plan, preflight, reserve, settle_drop
from shared.models.plan import Plan, Prices
from shared.models.record import Effect, FileSummary
from shared.runs import answering, booking, effects, planning, scans, worst_case
from shared.runs.effects import OfOneEffect, Removing
from shared.runs.ledger import Ledger
from shared.services import storage
from tests.faults.simulator import app
from triggers import starting, sweep

type Swap = tuple[Any, str, Any]


def nothing(*_given: Any, **_more: Any) -> None:
    """Does nothing, and says nothing."""


def price_unknown_is_nothing() -> list[Swap]:
    """A model that the price table doesn't know costs nothing, for gate and wallet (M1)."""

    def known(_plan: Plan, prices: Prices) -> tuple[float, float]:
        return prices.training_usd_per_million_tokens or 0.0, prices.hosting_usd_per_hour or 0.0

    return [(module, "known_prices", known) for module in (worst_case, planning)]


def declarations_count_nothing() -> list[Swap]:
    """The gate reckons with the lab's count of tokens, which leaves out what else is billed
    (M2).
    """

    def counted(_plan: Plan, training: FileSummary) -> int:
        return training.total_tokens

    return [(worst_case, "tokens_at_most", counted)]


def spans_cut_by_the_settings_of_now() -> list[Swap]:
    """The scan is joined by today's size of a span, and nobody looks whether the parts cover the
    file (H1).
    """
    from tunedrop_check.scan import scanning as scan

    def parts(plan: Plan, run_id: str, role: Any) -> Any:
        pin = plan.file(role)
        for index, _ in enumerate(scan.spans(pin.bytes if pin else 0, app.span_bytes())):
            stored = storage.ledger().read(f"scans/{run_id}/{role}/{index:05}.json")
            if found := scan.span_scan_from_json(stored.content) if stored else None:
                yield found

    merge = scan.merge

    def merge_what_is_there(found: Any, options: Any, _size: int) -> Any:
        return merge(found, options)

    return [(scans, "_parts", parts), (scan, "merge", merge_what_is_there)]


def any_blob_is_read() -> list[Swap]:
    """Neither the kind nor the size of a blob is looked at before its bytes are (S1)."""
    return [(module, "readable", nothing) for module in (settle_drop, make_plan)]


def names_of_runs_are_free() -> list[Swap]:
    """A drop may ask for another run's id as the name of its deployment (S5)."""
    return [(planning, "LIKE_A_RUN_ID", re.compile("(?!)"))]


def place_kept_to_the_end() -> list[Swap]:
    """A run that stops before it has bought anything keeps its place in the wallet until it has
    ended (S14).
    """
    closed = booking.closed

    def kept(ledger: Ledger, run_id: str) -> Any:
        found = ledger.read(run_id)
        return None if found and found.record.ended_at is None else closed(ledger, run_id)

    return [(booking, "closed", kept)]


def only_the_recorded_is_removed() -> list[Swap]:
    """The end of a run removes what is recorded, and looks for nothing else by the run's mark; nor
    does the sweep (R2).
    """
    gone = Removing.gone

    def gone_as_recorded(self: Removing, found: Effect) -> dict[str, bool]:
        mine = found.id if found.state == "made" and not self.keeps else None
        return {mine: self.remove(mine) is not False} if mine else gone(self, found)

    return [(Removing, "gone", gone_as_recorded), (sweep, "delete_unowned", nothing)]


def slots_are_not_booked() -> list[Swap]:
    """The wallet doesn't know that a deployment is to come, and takes the last place of the account
    for free (R4).
    """
    return [(booking, "no_room", nothing)]


def pace_of_now_ages_intents() -> list[Swap]:
    """How long an intent holds is reckoned by the pace of whoever looks at it, and that one is the
    settings' (R6).
    """

    def hidden_until(self: OfOneEffect, found: Effect, takes_s: float) -> datetime:
        wait_s = self.asked.pace.list_lag_s + (takes_s if found.state == "intended" else 0)
        return (
            found.at if found.state in {"made", "removed"} else found.at + timedelta(seconds=wait_s)
        )

    schedule = starting.schedule

    def schedule_as_of_now(client: Any, run_id: str, _pace: Any) -> None:
        schedule(client, run_id, starting.settings().pace)

    return [(OfOneEffect, "hidden_until", hidden_until), (starting, "schedule", schedule_as_of_now)]


def taking_back_costs_nothing() -> list[Swap]:
    """The hours in which the end of a run tries to delete the deployment are not in its
    worst case.
    """
    hosting = worst_case.hosting_at_most

    def without_taking_back(plan: Plan, prices: Prices, pace: Any) -> float:
        return hosting(plan, prices, pace.model_copy(update={"take_back_s": 0}))

    return [(worst_case, "hosting_at_most", without_taking_back)]


def gate_waits_in_silence() -> list[Swap]:
    """A run that waits because the account can't be asked doesn't say so."""
    return [(module, "tried", answering.polled) for module in (preflight, reserve)]


def role_that_is_gone_leaves_things() -> list[Swap]:
    """Who may not delete for a while gives up at once."""
    return [(effects, "WITHOUT_A_ROLE", ())]


# Every one, each with the invariant that it breaks in some seed of caught.json.
FOUND: tuple[Callable[[], list[Swap]], ...] = (
    price_unknown_is_nothing,
    declarations_count_nothing,
    spans_cut_by_the_settings_of_now,
    any_blob_is_read,
    names_of_runs_are_free,
    place_kept_to_the_end,
    only_the_recorded_is_removed,
    slots_are_not_booked,
    pace_of_now_ages_intents,
    taking_back_costs_nothing,
    gate_waits_in_silence,
    role_that_is_gone_leaves_things,
)
