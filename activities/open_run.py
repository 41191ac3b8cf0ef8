"""Begin a run, or take it up again where an earlier orchestration left it."""

import azure.durable_functions as df

from shared.errors import DataRejected
from shared.models.answers import Opened
from shared.models.drop import RUN_NAME_MAX_CHARS, Layout
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended
from shared.models.record import Outcome, Step
from shared.runs.activity import activity
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@activity(bp, RunStep)
def open_run(wanted: RunStep) -> Answer:
    """Tells the orchestrator where the run stands: fresh, ending already, or not usable at all.

    Second run: it reads; noting the first step twice changes nothing.
    """
    record = open_ledger().get(wanted.run_id).record
    if record.ended_at:
        return done(Opened(ended=True, unreported=record.report is None))
    if record.ending:
        return ended(record.ending.outcome, record.ending.problem, record.ending.duplicate_of)
    if record.cancel_requested_at:
        return CANCELLED
    if not record.drop.named:
        raise DataRejected(
            "TD-DROP-001",
            (
                "The drop's name can't be a run's name: lower-case letters, digits and single "
                f"hyphens, at most {RUN_NAME_MAX_CHARS}."
            ),
            (
                "Drop it again as <run>.jsonl or <run>/training_set.jsonl, for example "
                "support-tone.jsonl."
            ),
        )
    if record.drop.layout is Layout.SPARK:
        return ended(
            Outcome.REJECTED,
            DataRejected(
                "TD-DROP-005",
                (
                    "The drop is a folder of part files, as Spark writes it; the app accepts "
                    "one file."
                ),
                (
                    "Send it with `tunedrop drop FOLDER`, which joins the part files; or write "
                    "one file and drop it as <run>/training_set.jsonl."
                ),
            ).problem,
        )
    open_ledger().enter(wanted.run_id, Step.SETTLE)
    return done()
