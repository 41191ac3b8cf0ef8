"""Looks on while a simulation runs: at each write of the ledger, each turn of an orchestrator, each end of an activity."""

from datetime import datetime

import durabletask.internal.orchestrator_service_pb2 as pb

from shared.errors import ServiceUnavailable
from shared.ledger import RUNS
from shared.models.drop import drop_of
from shared.models.record import RunRecord, Step
from tests.faults.simulator.blobs import ACCOUNT, Account, Blob
from tests.faults.simulator.stage import Stage

STEPS = list(Step)


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
        self._stage = stage
        self._account = account
        self._found: Violation | None = None
        account.watchers.append(self._written)

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
        standing = [drop.run_id for name, blob in blobs if (drop := drop_of(ACCOUNT, "training", name, blob.etag))]
        return [run_id for run_id in standing if run_id not in self.records]

    def unended(self) -> list[str]:
        """The runs that live."""
        return [run_id for run_id, record in self.records.items() if record.outcome is None]

    def cancel_answered(self, run_id: str, status: int) -> None:
        """A cancel was accepted, or not."""
        if status == 202:
            self.cancels.setdefault(run_id, self._stage.now)

    def replayed(self, instance: str, first: pb.OrchestratorResponse, again: pb.OrchestratorResponse) -> None:
        """The same history gave these two answers."""
        if list(first.actions) != list(again.actions):
            self.see("I7", f"{instance} answers differently when it is replayed")

    def turned(self, request: pb.OrchestratorRequest, answer: pb.OrchestratorResponse) -> None:
        """A turn ends in no failure, and a generation in no timer that nobody waited for."""
        for action in answer.actions:
            status = action.completeOrchestration.orchestrationStatus
            if action.HasField("completeOrchestration") and status == pb.ORCHESTRATION_STATUS_FAILED:
                self.see("I0", f"{request.instanceId} broke: {action.completeOrchestration.failureDetails.errorMessage}")
            if action.HasField("completeOrchestration") and status == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
                events = [*request.pastEvents, *request.newEvents]
                left = sum(e.HasField("timerCreated") for e in events) - sum(e.HasField("timerFired") for e in events)
                left += sum(other.HasField("createTimer") for other in answer.actions)
                if left > sum(e.HasField("eventRaised") for e in events):
                    self.see("I7", f"{request.instanceId} continues as new with a timer left behind")

    def activity_ended(self, what: str, result: object) -> None:
        """An activity raises nothing but "try me again"."""
        if isinstance(result, Exception) and not isinstance(result, ServiceUnavailable):
            self.see("I0", f"{what} raised {type(result).__name__}: {result}")

    def _written(self, container: str, name: str, blob: Blob) -> None:
        if container == "training":
            self.uploads[blob.etag] = blob.content
        if container != "tunedrop" or not name.startswith(RUNS):
            return
        record = RunRecord.model_validate_json(blob.content)
        before = self.records.get(record.id)
        self.records[record.id] = record
        if before is not None:
            self._compare(before, record)

    def _compare(self, before: RunRecord, record: RunRecord) -> None:
        if before.ending and record.ending != before.ending:
            self.see("I6", f"{record.id} had the ending {before.ending.outcome} and now has another")
        if before.ended_at and (record.ended_at, record.step) != (before.ended_at, before.step):
            self.see("I6", f"{record.id} had ended and was opened again")
        if STEPS.index(record.step) < STEPS.index(before.step):
            self.see("I6", f"{record.id} went back from {before.step} to {record.step}")
