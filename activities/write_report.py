"""Write the report of a run: report.json and report.html."""

from datetime import datetime

import azure.durable_functions as df

from shared.models.answers import Reported
from shared.models.messages import Answer, RunStep, done
from shared.models.record import RunRecord, Step
from shared.report.reporting import report_of
from shared.runs.activity import activity
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger
from shared.runs.result_files import report_path, reports_of
from shared.runs.unpacking import delete_unpacked, may_have_unpacked

bp = df.Blueprint()


@activity(bp, RunStep, waits=False)
def write_report(wanted: RunStep) -> Answer:
    """Tells the run from the ledger, the scans and the job's results.

    Second run: the same facts give the same report, written over itself; what isn't there is
    deleted.
    """
    from shared.report import render  # jinja2, 0.1 s: not at import

    ledger = open_ledger()
    read = ledger.enter(wanted.run_id, Step.REPORT)
    report = report_of(read.record)
    page = report_path(read.record, "report.html")
    reports = reports_of(read.record)  # for a run without a plan, by the settings of this moment
    checkpoint("write_report: before the report")
    reports.put(report_path(read.record, "report.json"), render.to_json(report))
    checkpoint("write_report: after report.json")
    reports.put(page, render.to_html(report).encode(), content_type="text/html; charset=utf-8")

    def noting(record: RunRecord, _now: datetime) -> RunRecord:
        return record.model_copy(update={"report": f"{reports.name}/{page}"})

    checkpoint("write_report: after report.html")
    ledger.change(wanted.run_id, noting)
    checkpoint("write_report: after the record")
    # Nothing else reads now what was unpacked for the run.
    if may_have_unpacked(read.record.drop):
        delete_unpacked(wanted.run_id)
        checkpoint("write_report: after the unpacked files are deleted")
    return done(Reported(report=page))
