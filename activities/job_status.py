"""Ask how the fine-tuning job is, and note it."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df

from shared.errors import DeadlinePassed, ServiceLost, ServiceRejected, TuneDropError
from shared.models.answers import JobSeen
from shared.models.base import wire
from shared.models.effect_kinds import JOB
from shared.models.messages import Answer, RunStep, done, wait
from shared.models.pace import Pace
from shared.models.record import JobProgress, RunRecord, Step
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, polled
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, Read
from shared.services.azure_openai import ENDED, AzureOpenAI, JobFacts
from tunedrop_check.rules.wording import lasting

bp = df.Blueprint()
EVENTS_READ = 20


@activity_of_living_run(bp, RunStep)
def job_status(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Says whether the job has succeeded, ended otherwise, or how long to wait.

    Second run: it reads, and notes what it read.
    """
    record = read.record
    plan, job_id = needed(record.plan, "plan"), needed(record.made(JOB.named()), "job")
    waited_s = (read.now - record.entered(Step.TRAIN)).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "job_status", waited_s, wanted.pace.job_deadline_s)
    late = DeadlinePassed(
        "TD-DEADLINE-005",
        f"The fine-tuning job had not ended after {lasting(waited_s)}.",
        "job_deadline_s",
    )
    service = clients.for_training(plan)
    answer = polled(
        lambda: _looked_at(ledger, read, service, job_id, wanted.pace), wanted.pace, deadline, late
    )
    known = JobSeen(progress=ledger.get(wanted.run_id).record.job or JobProgress())
    return (
        answer.model_copy(update={"value": wire(known)})
        if answer.kind in {"done", "wait"}
        else answer
    )


def _looked_at(ledger: Ledger, read: Read, service: AzureOpenAI, job_id: str, pace: Pace) -> Answer:
    job = service.job(job_id)
    if job is None:
        raise ServiceLost(
            "TD-JOB-002",
            "The fine-tuning job is gone: somebody deleted it.",
            "Find out who deletes jobs on this account.",
        )
    heard = _progress(service, job, read.record.job or JobProgress())

    def noting(current: RunRecord, now: datetime) -> RunRecord:
        nameless = job.status == "succeeded" and not job.fine_tuned_model
        since = {"nameless_since": now} if nameless and current.nameless_since is None else {}
        return current.model_copy(update={"job": later_of(current.job, heard), **since})

    checkpoint("job_status: before the record")
    since = ledger.change(read.record.id, noting).nameless_since or read.now
    checkpoint("job_status: after the record")
    nameless_s = (read.now - since).total_seconds()
    return _verdict(
        job,
        read,
        pace,
        Deadline(ledger, read.record.id, "job_status:nameless", nameless_s, pace.nameless_s),
    )


def later_of(known: JobProgress | None, heard: JobProgress) -> JobProgress:
    """What is known of the job after this was heard."""
    # An execution that was held up must not take an ended job back, or its model away.
    older = known and (
        (known.status in ENDED and heard.status not in ENDED)
        or (known.fine_tuned_model and not heard.fine_tuned_model)
    )
    return known if known and older else heard


def _verdict(job: JobFacts, read: Read, pace: Pace, nameless: Deadline) -> Answer:
    if job.status == "succeeded" and job.fine_tuned_model:
        return done()
    if job.status == "succeeded" and nameless.passes():
        raise ServiceLost(
            "TD-JOB-001",
            f"The fine-tuning job succeeded, but names no model after {nameless.waited_s:.0f} s.",
            (
                "Open the job in the Foundry portal: the report names it. If the job shows a "
                "model there, deploy it by hand."
            ),
        )
    if job.status == "cancelled" and not job.error_code:
        raise ServiceLost(
            "TD-JOB-003",
            "Somebody else cancelled the fine-tuning job, not this run.",
            "Find out who cancels jobs on this account.",
        )
    if job.ended and job.status != "succeeded":
        code, text = job.error_code or job.status, job.error_message or "no reason given"
        raise ServiceRejected(
            "Azure OpenAI", None, code, text, said=f"The fine-tuning job ended {job.status}:"
        )
    return wait(pace.next_poll_s((read.now - read.record.entered(Step.TRAIN)).total_seconds()))


def _progress(service: AzureOpenAI, job: JobFacts, before: JobProgress) -> JobProgress:
    facts: dict[str, Any] = {
        "status": job.status,
        "fine_tuned_model": job.fine_tuned_model,
        "trained_tokens": job.trained_tokens,
        "n_epochs": job.n_epochs,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }
    try:
        events = service.events(job.id, EVENTS_READ)
    except TuneDropError:  # the status decides; events are for people, and the next poll asks again
        return before.model_copy(update=facts)
    metrics = [e.metrics for e in events if "train_loss" in e.metrics]
    latest = metrics[0] if metrics else dict[str, float]()
    return before.model_copy(
        update=facts
        | {
            "last_event": events[0].message[:300] if events else before.last_event,
            "train_loss": latest.get("train_loss", before.train_loss),
            "valid_loss": latest.get(
                "full_valid_loss", latest.get("valid_loss", before.valid_loss)
            ),
        }
    )
