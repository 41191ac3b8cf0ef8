"""Prove the deployment with a chat completion."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import azure_openai
from shared.answering import Deadline, answered
from shared.azure_openai import Reply
from shared.checkpoints import checkpoint
from shared.errors import ServiceRejected, ServiceUnavailable
from shared.ledger import Ledger, open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.plan import SmokeTestPlan
from shared.models.record import Outcome, RunRecord, SmokeResult, Step

bp = df.Blueprint()
ANSWER_KEPT_CHARS = 4_000


@bp.activity_trigger(input_name="request")
def smoke_test(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Asks the deployment the plan's question; `wait` while it doesn't answer yet.

    Second run: an answer that the ledger holds stands; else the question is asked again, which changes nothing.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _prove(wanted), wanted.pace)


def _prove(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    read = ledger.enter(wanted.run_id, Step.SMOKE_TEST)
    record, deployment = read.record, read.record.made("deployment")
    if record.stopping or record.plan is None or deployment is None:
        return CANCELLED
    if record.smoke:
        return _verdict(record.smoke)
    asked = [{"role": m.role, "content": m.content} for m in record.plan.smoke_test.messages]
    try:
        reply = azure_openai.for_inference(record.plan).chat(deployment, asked, wanted.pace.call_s)
    except ServiceUnavailable as unavailable:
        waited_s = (read.now - record.entered(Step.SMOKE_TEST)).total_seconds()
        deadline = Deadline(ledger, wanted.run_id, "smoke_test", waited_s, wanted.pace.smoke_deadline_s)
        return _not_yet(ledger, wanted, unavailable, deadline)
    return _verdict(_noted(ledger, wanted.run_id, judged(reply, record.plan.smoke_test, record.smoke_attempts + 1)))


def judged(reply: Reply, plan: SmokeTestPlan, attempts: int) -> SmokeResult:
    """The verdict on a reply: without an expectation, any words pass."""
    text = reply.text[:ANSWER_KEPT_CHARS]
    if reply.blocked:
        return SmokeResult(verdict="blocked", answer=text or None, attempts=attempts)
    holds = bool(text.strip()) and all(wanted.casefold() in text.casefold() for wanted in plan.contains)
    return SmokeResult(verdict="passed" if holds else "failed", answer=text, attempts=attempts)


def _not_yet(ledger: Ledger, wanted: RunStep, unavailable: ServiceUnavailable, deadline: Deadline) -> Answer:
    def counting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"smoke_attempts": current.smoke_attempts + 1})

    checkpoint("smoke_test: before the attempt is counted")
    attempts = ledger.change(wanted.run_id, counting).smoke_attempts
    checkpoint("smoke_test: after the attempt is counted")
    if deadline.passes():
        return _verdict(_noted(ledger, wanted.run_id, SmokeResult(verdict="not_answered", attempts=attempts)))
    return wait(max(unavailable.retry_after_s or 0, wanted.pace.brief_s))


def _noted(ledger: Ledger, run_id: str, result: SmokeResult) -> SmokeResult:
    def noting(current: RunRecord, _now: datetime) -> RunRecord | None:
        return None if current.smoke else current.model_copy(update={"smoke": result})

    checkpoint("smoke_test: before the record")
    noted = ledger.change(run_id, noting).smoke or result
    checkpoint("smoke_test: after the record")
    return noted


def _verdict(result: SmokeResult) -> Answer:
    sentences = {
        "failed": "the answer does not hold what the smoke test expects",
        "blocked": "the content filter stopped the smoke test",
        "not_answered": f"the deployment did not answer in {result.attempts} attempts",
    }
    if result.verdict == "passed":
        return done()
    return ended(Outcome.FAILED, ServiceRejected("The smoke test", None, result.verdict, sentences[result.verdict]).problem)
