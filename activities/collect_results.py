"""Keep what the service tells of the job: results.csv and all events, beside the report."""

import json
from dataclasses import asdict

import azure.durable_functions as df

from shared.models.effect_kinds import JOB
from shared.models.messages import Answer, RunStep, done
from shared.report import results_csv
from shared.runs import clients
from shared.runs.activity import activity
from shared.runs.answering import needed
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger
from shared.runs.result_files import report_path, reports_of
from shared.services import azure_openai
from shared.services.azure_openai import AzureOpenAI

bp = df.Blueprint()
EVENTS_KEPT = 5_000


@activity(bp, RunStep, waits=False)
def collect_results(wanted: RunStep) -> Answer:
    """Copies the job's metrics and events into the reports container.

    Second run: the same files are written over themselves.
    """
    record = open_ledger().get(wanted.run_id).record
    job_id = record.made(JOB.named())
    if job_id is None:
        return done()
    service = clients.for_training(needed(record.plan, "plan"))
    # The results first: the events are told by an endpoint of their own, which must not keep
    # anything from being kept.
    metrics = _metrics(service, job_id)
    checkpoint("collect_results: before the results")
    if metrics:
        reports_of(record).put(report_path(record, "results.csv"), metrics, content_type="text/csv")
    checkpoint("collect_results: after the results")
    events = b"".join(
        json.dumps(asdict(e)).encode() + b"\n"
        for e in reversed(service.events(job_id, EVENTS_KEPT))
    )
    reports_of(record).put(
        report_path(record, "events.jsonl"), events, content_type="application/jsonl"
    )
    checkpoint("collect_results: after the events")
    return done()


def _metrics(service: AzureOpenAI, job_id: str) -> bytes | None:
    job = service.job(job_id)
    return (
        results_csv.harmless(azure_openai.decoded_results(service.content(job.result_files[0])))
        if job and job.result_files
        else None
    )
