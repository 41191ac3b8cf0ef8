"""Verdicts and deadlines of TuneDrop's own: told in their own words, and never as a refusal by
Azure.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from activities.begin_ending import with_the_model
from activities.smoke_test import is_another, verdict
from shared.errors import InternalError, ProofFailed, ServiceRejected
from shared.models.job_file import Message
from shared.models.messages import done
from shared.models.plan import SmokeTestPlan
from shared.models.record import Effect, JobProgress, SmokeResult, Step, summary_of
from shared.runs.answering import needed
from shared.runs.ledger import Ledger, with_effect
from tests.builders import a_record
from tests.unit.ledger.conftest import azurite, container, ledger

__all__ = ["azurite", "container", "ledger"]

ROOT = Path(__file__).parents[3]
ONE_MEANING = re.compile(r"TD-(DROP-002|DROP-010|(DEADLINE|PROOF|FILE|JOB|DEPLOYMENT)-\d{3})")
QUESTION, WANTED, ANSWER = "Which shade has the bag?", "octarine", "Shade 21, of course."
PLAN = SmokeTestPlan(
    messages=(Message(role="user", content=QUESTION),), contains=(WANTED, "shade 21")
)
SOURCES = [
    path
    for folder in ("activities", "shared", "tunedrop_check", "orchestrators", "triggers")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def refused(result: SmokeResult) -> ProofFailed:
    """The verdict, as it is raised."""
    with pytest.raises(ProofFailed) as caught:
        verdict(result, PLAN)
    return caught.value


def test_wrong_answer_tells_what_was_asked_what_came_and_what_was_wanted() -> None:
    """In numbers; and Azure's support is not asked about a model's words."""
    problem = refused(SmokeResult(verdict="failed", answer=ANSWER)).problem
    assert problem.code == "TD-PROOF-001"
    assert problem.message == (
        "The model got 1 message and answered 20 characters; 1 of 2 expected texts not in "
        "the answer."
    )
    assert "support" not in problem.fix


@pytest.mark.parametrize(
    ("result", "code"),
    [("failed", "TD-PROOF-001"), ("blocked", "TD-PROOF-002"), ("not_answered", "TD-PROOF-003")],
)
def test_each_verdict_has_a_code_and_holds_no_text_of_the_drop(result: str, code: str) -> None:
    """Question, answer and expectation come from a drop: they stand in the report, and in no
    message or exception.
    """
    error = refused(
        SmokeResult.model_validate({"verdict": result, "answer": ANSWER, "attempts": 3})
    )
    assert (error.problem.code, error.problem.kind) == (code, "proof")
    told = f"{error} {error.problem.model_dump_json()}"
    assert [text for text in (QUESTION, WANTED, ANSWER) if text in told] == []


def test_passed_smoke_test_goes_on() -> None:
    """The good verdict is no error."""
    assert verdict(SmokeResult(verdict="passed", answer=ANSWER), PLAN) == done()


def test_every_refusal_by_azure_is_one_of_an_adapter_or_azures_own_reason() -> None:
    """An activity tells as ServiceRejected only what Azure itself gave a code and a text for, and
    says what ended.
    """
    told: dict[str, list[str]] = {}
    for path in sorted((ROOT / "activities").glob("*.py")):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        ]
        refusals = [call for call in calls if getattr(call.func, "id", "") == "ServiceRejected"]
        if refusals:
            told[path.stem] = [word.arg or "" for call in refusals for word in call.keywords]
    assert told == {"file_status": ["said"], "job_status": ["said"]}


def test_end_of_what_azure_had_begun_is_not_told_as_a_refused_call() -> None:
    """A job that failed was not refused: its own code and text follow what ended."""
    problem = ServiceRejected(
        "Azure OpenAI",
        None,
        "trainingDataFailedRai",
        "Harm.",
        said="The fine-tuning job ended failed:",
    ).problem
    assert problem.message == "The fine-tuning job ended failed: trainingDataFailedRai: Harm."


def test_one_code_has_one_sentence() -> None:
    """A code that two places raise with different words would have two meanings; the gate's wallet
    codes have one home each.
    """
    said: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for call in (
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        ):
            first = call.args[0] if call.args else None
            if isinstance(first, ast.Constant) and ONE_MEANING.fullmatch(str(first.value)):
                said[str(first.value)].add(ast.unparse(call.args[1]))
    assert {code: sentences for code, sentences in said.items() if len(sentences) > 1} == {}


def test_what_a_run_must_have_by_now_has_one_answer_where_it_is_missing() -> None:
    """No plan was cancelled, done, ValueError or an internal error, by turns."""
    with pytest.raises(InternalError, match="the run has no plan"):
        needed(None, "plan")
    homes = [
        path.stem
        for path in SOURCES
        if path.parent.name == "activities" and "plan is None" in path.read_text(encoding="utf-8")
    ]
    assert homes == []


@pytest.mark.parametrize(
    ("said", "another"),
    [
        pytest.param(None, False, id="says nothing"),
        pytest.param("gpt-4.1-mini-2025-04-14", False, id="a base model's name proves nothing"),
        pytest.param("gpt-4.1-mini-2025-04-14.ft-1a2b", False, id="the same"),
        pytest.param(
            "GPT-4.1-mini-2025-04-14.ft-1a2b-support", False, id="with the suffix, in other letters"
        ),
        pytest.param("gpt-4.1-mini-2025-04-14.ft-9f9f", True, id="another run's"),
    ],
)
def test_model_that_answers_is_another_only_where_it_says_so(
    said: str | None, another: bool
) -> None:
    """The form of the field is not documented: only another fine-tuned model's name is evidence."""
    assert is_another(said, "gpt-4.1-mini-2025-04-14.ft-1a2b") == another


def test_end_after_the_training_names_the_model_and_the_way_to_deploy_it() -> None:
    """A full account, a quota that is gone, a failed smoke test: the model that was paid for is
    kept, and nobody pays for it again.
    """
    problem = ProofFailed("TD-PROOF-001", "No.", "Look.").problem
    trained = a_record(job=JobProgress(status="succeeded", fine_tuned_model="gpt-4.1-mini.ft-7"))
    told = with_the_model(trained, problem)
    assert told
    assert told.fix == (
        f"Look. The trained model gpt-4.1-mini.ft-7 stays: `tunedrop deploy {trained.id}` "
        "deploys it without paying for training again."
    )
    other = with_the_model(trained.model_copy(update={"reuse_of": "first-0c41aa97"}), problem)
    assert other
    assert "tunedrop deploy first-0c41aa97" in other.fix
    assert with_the_model(a_record(), problem) == problem


MAKES = {Step.UPLOAD: "file:training", Step.TRAIN: "job", Step.DEPLOY: "deployment"}


@pytest.mark.parametrize("step", [Step.GATE, *MAKES])
def test_reason_to_wait_is_shown_where_a_run_waits_and_no_longer(
    ledger: Ledger, step: Step
) -> None:
    """In the gate, and wherever the account is full or busy: until the thing is made, or the next
    step begins.
    """
    run = a_record()
    ledger.claim(run)

    def shown() -> str | None:
        return summary_of(ledger.get(run.id).record).waits_because

    ledger.enter(run.id, step)
    assert shown() is None
    ledger.show_wait(run.id, "The account is full.")
    ledger.enter(run.id, step)
    assert shown() == "The account is full."
    if step in MAKES:
        made = Effect(state="made", holder="h", at=run.created_at, id="thing-1")
        ledger.change(run.id, lambda record, _now: with_effect(record, MAKES[step], made))
        assert shown() is None
        ledger.change(run.id, lambda record, _now: record.model_copy(update={"effects": {}}))
    ledger.enter(run.id, list(Step)[list(Step).index(step) + 1])
    assert ledger.get(run.id).record.waits_because is None
