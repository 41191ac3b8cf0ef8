"""Close the record of a run: after this, nothing of it changes."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared.models.messages import Answer, RunStep, done
from shared.models.record import Entered, RunRecord, Step
from shared.runs.answering import answered
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def end_run(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Sets the time of the end.

    Second run: the first end stands.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _end(wanted))


def _end(wanted: RunStep) -> Answer:
    def closing(record: RunRecord, now: datetime) -> RunRecord | None:
        if record.ended_at or record.ending is None:
            return None
        timeline = (*record.timeline, Entered(step=Step.ENDED, at=now))
        return record.model_copy(update={"ended_at": now, "step": Step.ENDED, "timeline": timeline})

    checkpoint("end_run: before the record")
    open_ledger().change(wanted.run_id, closing)
    checkpoint("end_run: after the record")
    return done()
