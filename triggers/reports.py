"""The report of a run over HTTP: for whoever has the function key and no right to read the
container.
"""

import azure.durable_functions as df
import azure.functions as func

from shared.runs.result_files import report_path, reports_of
from shared.services import storage
from triggers.answers import HEADERS, refused, served
from triggers.run_lookup import record_of, unknown

bp = df.Blueprint()
# The files of a report that are given out, and no others.
TYPES = {
    "report.json": "application/json",
    "report.html": "text/html",
    "results.csv": "text/csv",
    "events.jsonl": "application/jsonl",
}
DEFAULT = "report.json"
# A page that tells foreign texts is kept on disk and not opened under the app's own address.
NOTHING_LIVE = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Content-Disposition": "attachment",
}


@bp.route(route="runs/{id}/report", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def show_report(req: func.HttpRequest) -> func.HttpResponse:
    """200: a file of the run's report, report.json unless `?file=` names another; 404: no such run,
    or it has no such file yet.
    """
    return served(lambda: _file(req))


def _file(req: func.HttpRequest) -> func.HttpResponse:
    file = req.params.get("file", DEFAULT)
    if file not in TYPES:
        return refused(
            400,
            "TD-HTTP-008",
            f"`file` is not one of: {', '.join(TYPES)}.",
            "Remove it, or correct it.",
        )
    record = record_of(req)
    if record is None:
        return unknown()
    stored = (
        reports_of(record).read(report_path(record, file), storage.RESULTS_BYTES)
        if record.report
        else None
    )
    if stored is None:
        return refused(
            404,
            "TD-HTTP-009",
            f"The run has no {file}.",
            "A report is written when the run ends; the run's step shows whether it has ended.",
        )
    return func.HttpResponse(
        stored.content,
        status_code=200,
        mimetype=TYPES[file],
        charset="utf-8",
        headers=HEADERS | NOTHING_LIVE,
    )
