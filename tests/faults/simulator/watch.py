"""Looks on while a simulation runs: at each write of the ledger, each turn of an orchestrator, each
end of an activity.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb

from shared.errors import ServiceUnavailable, WalletFull
from shared.models.base import decoded
from shared.models.drop import drop_of
from shared.models.record import Outcome, RunRecord, Step
from shared.runs.claims import Claim
from shared.runs.ledger import CLAIMS, RUNS, WALLET
from shared.runs.line import rules
from shared.runs.wallet import Booking, Wallet, ahead, counted
from shared.settings import settings
from tests.faults.simulator.blobs import ACCOUNT, Account, Blob
from tests.faults.simulator.stage import Stage

STEPS = list(Step)
WAITING = frozenset(
    {"settle_drop", "claim_content", "preflight", "reserve", "upload_file", "create_job", "deploy"}
)
SILENT_MOST_S = 1800.0
# The wallet's times are whole seconds, and older by what a look took.
CLOCK_S = 10.0
NO_PLACE = WalletFull.of_places(1).problem.message.partition(":")[0]


def wallet_of(content: bytes) -> dict[str, Booking]:
    """The bookings of a wallet; none where it is damaged."""
    found = decoded(Wallet, content)
    return found.bookings if found else {}


class Violation(Exception):
    """An invariant that does not hold."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


class Watch:
    """What was seen so far; `records` is what our ledger says, the invariants ask the provider."""

    def __init__(self, stage: Stage, account: Account) -> None:
        self.records: dict[str, RunRecord] = {}
        self.uploads: dict[str, bytes] = {}
        """The content of every blob that ever stood in the container of the drops, by ETag."""
        self.cancels: dict[str, datetime] = {}
        """When the cancel of a run was accepted."""
        self.written_at: dict[str, datetime] = {}
        """When each run's record was written last."""
        self.proved: Callable[[str], None] = lambda _run_id: None
        """Is told of each run whose model has just been proven: whatever befalls it then meets its
        last steps.
        """
        self.stepped: Callable[[], None] = lambda: None
        """Is called after each activity."""
        self.frozen_in_a_call: set[str] = set()
        """Runs of which an execution was halted in the middle of a call."""
        self.harmed: set[str] = set()
        """Starting blobs of drops of which somebody has harmed a blob."""
        self._claims: dict[str, Claim] = {}
        self._wallet: Wallet | None = None
        self._silent: dict[str, float] = {}
        """For how many seconds a run was told to wait without a word why, by activity and run."""
        self._stage = stage
        self._account = account
        self._found: Violation | None = None
        account.watchers.append(self._written)
        account.misread = lambda name, blob: self.see(
            "I12", f"bytes of {name!a} were read: {blob.kind}, {blob.size} bytes"
        )

    def as_it_goes(self) -> None:
        """Raises what was seen since."""
        if self._found:
            raise self._found

    def see(self, invariant: str, what: str) -> None:
        """Keeps the first violation; it is raised on the stage, not in the actor that met it."""
        self._found = self._found or Violation(invariant, what)

    def unheard(self) -> list[str]:
        """Drops that stand in the container and have no run."""
        blobs = self._account.blobs("training").items()
        standing = [
            drop.run_id
            for name, blob in blobs
            if (drop := drop_of(ACCOUNT, "training", name, blob.etag))
        ]
        return [run_id for run_id in standing if run_id not in self.records]

    def unended(self) -> list[str]:
        """The runs that live."""
        return [run_id for run_id, record in self.records.items() if record.outcome is None]

    def cancel_answered(self, run_id: str, status: int) -> None:
        """A cancel was accepted, or not."""
        if status == 202:
            self.cancels.setdefault(run_id, self._stage.now)

    def replayed(
        self, instance: str, first: pb.OrchestratorResponse, again: pb.OrchestratorResponse
    ) -> None:
        """The same history gave these two answers."""
        if list(first.actions) != list(again.actions):
            self.see("I7", f"{instance} answers differently when it is replayed")

    def turned(self, request: pb.OrchestratorRequest, answer: pb.OrchestratorResponse) -> None:
        """A turn ends in no failure, and a generation in no timer that nobody waited for."""
        for action in answer.actions:
            status = action.completeOrchestration.orchestrationStatus
            if (
                action.HasField("completeOrchestration")
                and status == pb.ORCHESTRATION_STATUS_FAILED
            ):
                self.see(
                    "I0",
                    (
                        f"{request.instanceId} broke: "
                        f"{action.completeOrchestration.failureDetails.errorMessage}"
                    ),
                )
            if (
                action.HasField("completeOrchestration")
                and status == pb.ORCHESTRATION_STATUS_COMPLETED
            ):
                self._told(
                    request.instanceId,
                    json.loads(action.completeOrchestration.result.value or "null"),
                )
            if (
                action.HasField("completeOrchestration")
                and status == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
            ):
                events = [*request.pastEvents, *request.newEvents]
                left = sum(e.HasField("timerCreated") for e in events) - sum(
                    e.HasField("timerFired") for e in events
                )
                left += sum(other.HasField("createTimer") for other in answer.actions)
                if left > sum(e.HasField("eventRaised") for e in events):
                    self.see(
                        "I7", f"{request.instanceId} continues as new with a timer left behind"
                    )

    def _told(self, run_id: str, result: object) -> None:
        """A story ends as the ledger says, and not as it thought itself."""
        told = cast("dict[str, Any]", result).get("outcome") if isinstance(result, dict) else None
        record = self.records.get(run_id)
        if told and record and record.ending and told != record.ending.outcome:
            self.see(
                "I6",
                f"the story of {run_id} ended {told}, and the ledger says {record.ending.outcome}",
            )

    def activity_ended(self, what: str, result: object, began: datetime) -> None:
        """An activity raises nothing but "try me again"."""
        self.stepped()
        if isinstance(result, Exception) and not isinstance(result, ServiceUnavailable):
            self.see("I0", f"{what} raised {type(result).__name__}: {result}")
        if isinstance(result, dict):
            self._waits(what, cast("dict[str, Any]", result))
            if what.startswith("reserve ") and str(
                cast("dict[str, Any]", result).get("because")
            ).startswith(NO_PLACE):
                self._waits_for_room(what, began)
        if what.startswith("claim_content ") and isinstance(result, dict):
            self._waits_behind(
                what,
                str(cast("dict[str, Any]", result).get("because") or "").partition(" ")[0],
                began,
            )

    def _waits(self, what: str, answer: dict[str, Any]) -> None:
        """Before a run has made what it is at, it says why it waits: not at each look, but within
        half an hour.
        """
        activity, _, rest = what.partition(" ")
        record = self.records.get(rest.rpartition(" ")[2])
        if activity not in WAITING or record is None:
            return
        told = record.waits_because is not None or record.stopping
        self._silent[what] = (
            self._silent.get(what, 0) + answer.get("wait_s", 0)
            if answer["kind"] == "wait" and not told
            else 0
        )
        if self._silent[what] > SILENT_MOST_S:
            self.see(
                "I13", f"{what} waits since {self._silent[what]:.0f} s, and nobody is told why"
            )

    def _waits_for_room(self, what: str, began: datetime) -> None:
        """Nobody who is the first of the line waits for the room of a run that was ending, or had
        ended, with nothing bought, before the wait was looked at.
        """
        stored = self._account.blobs("tunedrop").get(WALLET)
        found = decoded(Wallet, stored.content) if stored else None
        waiter = what.rpartition(" ")[2]
        mine = found.waiting.get(waiter) if found else None
        if found is None or (mine and any(ahead(found, waiter, mine.since, self._stage.now))):
            return
        for run_id, booking in found.bookings.items():
            record = self.records.get(run_id)
            if (
                booking.open
                and record
                and record.stopping
                and not record.effects
                and self.written_at[run_id] < began
            ):
                self.see(
                    "I1",
                    (
                        f"{what} waits, and {run_id} keeps a place, though it ends and has bought "
                        "nothing"
                    ),
                )

    def _wallet_written(self, content: bytes) -> None:
        """Places are given in the order in which the runs came to the gate."""
        before, after = self._wallet, decoded(Wallet, content)
        self._wallet = after
        if before is None or after is None:
            return
        now, most = self._stage.now, rules(settings()).limits
        booked, kept = counted(after, now), now + timedelta(seconds=CLOCK_S)
        for run_id in after.bookings.keys() - before.bookings.keys():
            record = self.records.get(run_id)
            since = record.turn_at if record else None
            for other, one in after.waiting.items():
                overtaken = since and one.since < since and one.counts(kept) and self._lives(other)
                if overtaken and booked.refusal(one.usd, most, trains=one.trains):
                    without = {k: v for k, v in after.bookings.items() if k != run_id}
                    free = counted(Wallet(bookings=without), now)
                    if free.refusal(one.usd, most, trains=one.trains) is None:
                        self.see("I15", f"{run_id} took the place that {other} had waited for")

    def _lives(self, run_id: str) -> bool:
        record = self.records.get(run_id)
        return record is not None and not record.stopping

    def _waits_behind(self, what: str, holder: str, began: datetime) -> None:
        """Nobody waits for a run that had ended badly, with no job left, before the wait was looked
        at.
        """
        record = self.records.get(holder)
        if record is None or self.written_at[holder] >= began:
            return
        job = record.effects.get("job")
        if record.outcome not in {None, Outcome.SUCCEEDED} and (
            job is None or job.state == "removed"
        ):
            self.see(
                "I1", f"{what} waits behind {holder}, which ended {record.outcome} and has no job"
            )

    def _claim_written(self, name: str, claim: Claim) -> None:
        """Whoever lives or has succeeded with this content stays known, whoever takes it."""
        before = self._claims.get(name)
        self._claims[name] = claim
        known = {claim.run_id, *claim.before, claim.succeeded}
        for run_id in (before.run_id, *before.before, before.succeeded) if before else ():
            record = self.records.get(run_id or "")
            if record and record.outcome in {None, Outcome.SUCCEEDED} and run_id not in known:
                self.see(
                    "I1",
                    (
                        f"{name} was taken by {claim.run_id}, and forgot {run_id}, which "
                        f"{record.outcome or 'lives'}"
                    ),
                )

    def _written(self, container: str, name: str, blob: Blob) -> None:
        if container == "training":
            self.uploads[blob.etag] = blob.content
        if container == "tunedrop" and name.startswith(f"{CLAIMS}content/"):
            self._claim_written(name, Claim.model_validate_json(blob.content))
        if container == "tunedrop" and name == WALLET:
            self._wallet_written(blob.content)
        if container != "tunedrop" or not name.startswith(RUNS):
            return
        record = RunRecord.model_validate_json(blob.content)
        before = self.records.get(record.id)
        self.records[record.id] = record
        self.written_at[record.id] = self._stage.now
        if record.smoke and not (before and before.smoke):
            self.proved(record.id)
        if before is not None:
            self._compare(before, record)

    def _compare(self, before: RunRecord, record: RunRecord) -> None:
        if before.ending and record.ending != before.ending:
            self.see(
                "I6", f"{record.id} had the ending {before.ending.outcome} and now has another"
            )
        if before.ended_at and (record.ended_at, record.step) != (before.ended_at, before.step):
            self.see("I6", f"{record.id} had ended and was opened again")
        if STEPS.index(record.step) < STEPS.index(before.step):
            self.see("I6", f"{record.id} went back from {before.step} to {record.step}")
