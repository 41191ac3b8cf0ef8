"""Close the record of a run: after this, nothing of it changes."""

from datetime import datetime

import azure.durable_functions as df

from shared.models.messages import Answer, RunStep, done
from shared.models.record import Entered, RunRecord, Step
from shared.runs.activity import activity
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@activity(bp, RunStep, waits=False)
def end_run(wanted: RunStep) -> Answer:
    """Sets the time of the end.

    Second run: the first end stands.
    """

    def closing(record: RunRecord, now: datetime) -> RunRecord | None:
        if record.ended_at or record.ending is None:
            return None
        timeline = (*record.timeline, Entered(step=Step.ENDED, at=now))
        return record.model_copy(update={"ended_at": now, "step": Step.ENDED, "timeline": timeline})

    checkpoint("end_run: before the record")
    open_ledger().change(wanted.run_id, closing)
    checkpoint("end_run: after the record")
    return done()
