"""Prove the deployment with a chat completion: that it serves the run's own model, and that this
answers as wanted.
"""

from dataclasses import dataclass
from datetime import datetime

import azure.durable_functions as df

from activities.deployment_status import deployment_gone
from shared.errors import DeadlinePassed, ProofFailed, ServiceUnavailable
from shared.models.effect_kinds import DEPLOYMENT
from shared.models.messages import Answer, RunStep, done, wait
from shared.models.plan import Plan, SmokeTestPlan
from shared.models.record import RunRecord, SmokeResult, Step
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, polled
from shared.runs.checkpoints import checkpoint
from shared.runs.gate import FINE_TUNED_MODEL
from shared.runs.ledger import Ledger, Read
from shared.runs.smoke_rows import words_in_common
from shared.services.azure_openai import Reply

bp = df.Blueprint()
ANSWER_KEPT_CHARS = 4_000


@activity_of_living_run(bp, RunStep, enters=Step.SMOKE_TEST)
def smoke_test(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Asks the deployment the plan's question, and the account before and after it what is served;
    `wait` while it doesn't answer yet.

    Second run: an answer that the ledger holds stands; else the question is asked again, which
    changes nothing.
    """
    record = read.record
    plan, deployment = (
        needed(record.plan, "plan"),
        needed(record.made(DEPLOYMENT.named()), "deployment"),
    )
    if record.smoke:
        return verdict(record.smoke, plan.smoke_test)
    served = Served(
        ledger,
        wanted,
        plan,
        needed(record.job and record.job.fine_tuned_model, "trained model"),
        deployment,
    )
    if (before := served.asked(read)).kind != "done":
        return before
    asked = [{"role": m.role, "content": m.content} for m in plan.smoke_test.messages]
    try:
        reply = clients.for_inference(plan).chat(deployment, asked, wanted.pace.call_s)
    except ServiceUnavailable as unavailable:
        waited_s = (read.now - record.entered(Step.SMOKE_TEST)).total_seconds()
        deadline = Deadline(
            ledger, wanted.run_id, "smoke_test", waited_s, wanted.pace.smoke_deadline_s
        )
        return _not_yet(ledger, wanted, unavailable, deadline, plan.smoke_test)
    if is_another(reply.model, served.model):
        raise _another()
    if (after := served.asked(read)).kind != "done":
        return after
    return verdict(
        _noted(ledger, wanted.run_id, judged(reply, plan.smoke_test, record.smoke_attempts + 1)),
        plan.smoke_test,
    )


# An answer proves nothing about another model.
@dataclass(frozen=True)
class Served:
    """The question to the account whether the deployment serves the run's own model."""

    ledger: Ledger
    wanted: RunStep
    plan: Plan
    model: str
    deployment: str

    def asked(self, read: Read) -> Answer:
        """Done where it does; a wait, or the run's expiry, where the account can't be asked.

        Raises:
            ProofFailed: it serves another model.
            ServiceLost: it is gone.
        """
        waited_s = (read.now - read.record.entered(Step.SMOKE_TEST)).total_seconds()
        deadline = Deadline(
            self.ledger,
            self.wanted.run_id,
            "smoke_test:served",
            waited_s,
            self.wanted.pace.smoke_deadline_s,
        )
        late = DeadlinePassed(
            "TD-DEADLINE-008",
            f"The account did not say within {waited_s:.0f} s.",
            "smoke_deadline_s",
        )
        return polled(self._look, self.wanted.pace, deadline, late)

    def _look(self) -> Answer:
        found = clients.for_deployment(self.plan).deployment(self.deployment)
        if found is None:
            raise deployment_gone()
        if found.model != self.model:
            raise _another()
        return done()


def is_another(said: str | None, model: str) -> bool:
    """Whether the model that answered says that it is another fine-tuned one."""
    # A base model's name, or none, is no evidence.
    if said is None or FINE_TUNED_MODEL not in said:
        return False
    heard, wanted = said.casefold(), model.casefold()
    return not (heard.startswith(wanted) or wanted.startswith(heard))


def _another() -> ProofFailed:
    return ProofFailed(
        "TD-PROOF-004",
        (
            "The run's deployment serves another model, not the one that this run trained: "
            "somebody changed it."
        ),
        (
            "Find out who changes deployments on this account. TuneDrop does not change this "
            "deployment; the trained model stays."
        ),
    )


def judged(reply: Reply, plan: SmokeTestPlan, attempts: int) -> SmokeResult:
    """The verdict on a reply: without an expectation, any words pass."""
    text = reply.text[:ANSWER_KEPT_CHARS]
    if reply.blocked:
        return SmokeResult(verdict="blocked", answer=text or None, attempts=attempts)
    holds = bool(text.strip()) and all(
        wanted.casefold() in text.casefold() for wanted in plan.contains
    )
    # How much of a known answer it holds is told, and decides nothing.
    shared_words = words_in_common(reply.text, plan.expected) if plan.expected else None
    return SmokeResult(
        verdict="passed" if holds else "failed",
        answer=text,
        attempts=attempts,
        words_in_common=shared_words,
    )


def _not_yet(
    ledger: Ledger,
    wanted: RunStep,
    unavailable: ServiceUnavailable,
    deadline: Deadline,
    plan: SmokeTestPlan,
) -> Answer:
    def counting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"smoke_attempts": current.smoke_attempts + 1})

    checkpoint("smoke_test: before the attempt is counted")
    attempts = ledger.change(wanted.run_id, counting).smoke_attempts
    checkpoint("smoke_test: after the attempt is counted")
    if deadline.passes():
        return verdict(
            _noted(ledger, wanted.run_id, SmokeResult(verdict="not_answered", attempts=attempts)),
            plan,
        )
    return wait(max(unavailable.retry_after_s or 0, wanted.pace.brief_s))


def _noted(ledger: Ledger, run_id: str, result: SmokeResult) -> SmokeResult:
    def noting(current: RunRecord, _now: datetime) -> RunRecord | None:
        return None if current.smoke else current.model_copy(update={"smoke": result})

    checkpoint("smoke_test: before the record")
    noted = ledger.change(run_id, noting).smoke or result
    checkpoint("smoke_test: after the record")
    return noted


def verdict(result: SmokeResult, plan: SmokeTestPlan) -> Answer:
    """What the result means for the run.

    Raises:
        ProofFailed: the model did not prove itself.
    """
    if result.verdict == "passed":
        return done()
    # The sentence counts what was asked, came and was wanted: the texts themselves are a drop's.
    asked = f"The model got {_counted(len(plan.messages), 'message')}"
    answer = result.answer or ""
    match result.verdict:
        case "blocked":
            raise ProofFailed(
                "TD-PROOF-002",
                f"{asked}, and the content filter stopped the question or the answer.",
                (
                    "Ask something else in `smoke_test` of job.json, or name another "
                    "`deployment.rai_policy`; the report shows the question."
                ),
            )
        case "not_answered":
            raise ProofFailed(
                "TD-PROOF-003",
                (
                    f"{asked}, and its deployment gave no answer in "
                    f"{_counted(result.attempts, 'attempt')}."
                ),
                (
                    "Check the deployment's region and quota; `smoke_deadline_s` of "
                    "TUNEDROP_PACE says how long a run waits for an answer."
                ),
            )
        case _:
            raise ProofFailed(
                "TD-PROOF-001",
                (
                    f"{asked} and answered {_counted(len(answer), 'character')}; "
                    f"{_wanted(plan, answer)}."
                ),
                (
                    "Compare question, answer and expected text in the report; correct "
                    "`smoke_test.expect`, or train on better examples."
                ),
            )


def _wanted(plan: SmokeTestPlan, answer: str) -> str:
    missing = sum(1 for wanted in plan.contains if wanted.casefold() not in answer.casefold())
    return (
        f"{missing} of {_counted(len(plan.contains), 'expected text')} not in the answer"
        if plan.contains
        else "any words were expected"
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
