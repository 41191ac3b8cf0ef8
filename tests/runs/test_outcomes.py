"""Whole runs through the embedded host, Azurite and the stand-in: how they end, and what they leave
behind.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data import a_question, a_training_set
from tests.patience import until
from tests.runs.stack import ROOT, Stack, running_stack
from tunedrop_check.counting import vocabulary

pytestmark = pytest.mark.timeout(150)


def gone(stack: Stack, run_id: str) -> bool:
    """Whether the stand-in has neither a file nor a deployment of this run any more."""
    state = stack.control("GET", "state")
    return run_id not in str(state["files"]) and run_id not in str(state["deployments"])


def test_drop_becomes_a_deployed_and_proven_model(stack: Stack, name: str) -> None:
    """The tuned deployment answers a trained question with what it was trained on."""
    stack.drop(
        name,
        a_training_set(name),
        a_training_set(name, 10),
        {"smoke_test": {"messages": a_question(name), "expect": {"contains": ["shade 21"]}}},
    )
    run = stack.ended(name)
    assert (run["outcome"], run["smoke_test"], run["deployment"]) == (
        "succeeded",
        "passed",
        run["id"],
    )
    report = stack.report(run)
    assert report["money"]["deployment_usd_per_hour"] == 1.70
    assert (
        report["training"]["curve"][-1]["train_loss"] < report["training"]["curve"][0]["train_loss"]
    )


def test_drop_without_a_question_is_proven_by_a_row_of_its_data(stack: Stack, name: str) -> None:
    """The deployment is asked what the first row asks; a question about something else would prove
    nothing.
    """
    data = a_training_set(name)
    stack.drop(name, data)
    run = stack.ended(name)
    row = json.loads(data.splitlines()[0])["messages"]
    assert (run["outcome"], run["answer"]) == ("succeeded", row[-1]["content"])
    assert stack.report(run)["smoke_test"]["messages"] == row[:-1]


def test_lab_is_reproduced_by_its_job_file() -> None:
    """The lab's creating calls in its order, with its values and token figures; in North Central
    US, which alone has its model.
    """
    data = ROOT.parent / "shared" / "seed-data"
    if not data.exists():
        pytest.skip("the lab's files are not beside the checkout (../shared/seed-data)")
    job = json.loads((ROOT / "examples" / "seed" / "job.json").read_text())
    with running_stack(region="northcentralus") as stack:
        stack.drop(
            "the-lab",
            (data / "training_set.jsonl").read_bytes(),
            (data / "validation_set.jsonl").read_bytes(),
            job,
        )
        proves_the_lab(stack, stack.ended("the-lab"), data)


def proves_the_lab(stack: Stack, run: dict[str, Any], data: Path) -> None:
    """The run did what the lab does."""
    assert run["outcome"] == "succeeded"
    uploads = [e for e in stack.asked("files.create") if run["id"] in e["request"]["filename"]]
    assert [e["request"]["filename"].removeprefix(run["id"])[14:] for e in uploads] == [
        "training_set.jsonl",
        "validation_set.jsonl",
    ]
    [created] = [
        b
        for e in stack.asked("fine_tuning.jobs.create")
        if (b := e["request"]["body"])["model"] == "gpt-35-turbo-0613"
    ]
    assert created["seed"] == 105
    assert set(created) == {"model", "training_file", "validation_file", "seed", "suffix"}
    [deployed] = [
        e
        for e in stack.asked("deployments.create_or_update")
        if "gpt-35-turbo-ft" in str(e["request"])
    ]
    assert deployed["api_version"] == "2023-05-01"
    [asked] = [
        e
        for e in stack.asked("chat.completions.create", committed=False)
        if "gpt-35-turbo-ft" in str(e["request"])
    ]
    assert len(asked["request"]["body"]["messages"]) == 4
    tokens = {part["role"]: part["total"]["sum"] for part in stack.report(run)["data"]}
    assert tokens == {
        role: lab_count(data / f"{role}_set.jsonl") for role in ("training", "validation")
    }


def lab_count(path: Path) -> int:
    """The lab's own formula: 3 a message, the tokens of every value, 1 for a name, and 3 an
    example.
    """
    encoding = vocabulary.encoding("cl100k_base")
    total = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        for message in json.loads(line)["messages"]:
            total += 3 + sum(
                len(encoding.encode(value)) + (key == "name") for key, value in message.items()
            )
        total += 3
    return total


def test_broken_data_is_rejected_with_line_field_and_fix(stack: Stack, name: str) -> None:
    """The report names every error; nothing was uploaded."""
    stack.drop(name, a_training_set(name) + b'{"messages": [{"role": "user"}]}\nnot json\n')
    run = stack.ended(name)
    assert run["outcome"] == "rejected"
    findings = stack.report(run)["data"][0]["findings"]
    assert {13, 14} <= {f["line"] for f in findings}
    assert all(f["fix"] for f in findings)
    assert not [e for e in stack.asked("files.create") if run["id"] in e["request"]["filename"]]


def test_report_tells_what_the_texts_hold(stack: Stack, name: str) -> None:
    """A secret stops the run and is shown by four characters; a warning of many lines is one
    finding; figures tell what is learnt.
    """
    secret = "hf" + "_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh"
    texts = [
        f"{number}: ask {person}@corp.com" for number, person in enumerate(("ann", "bob", "eve"))
    ]
    asked = [a_turn("user", "Whom?"), a_turn("assistant", "No.", weight=0), a_turn("user", "Whom?")]
    examples = [[*asked, a_turn("assistant", text)] for text in (*texts, secret)]
    stack.drop(
        name,
        a_training_set(name)
        + b"".join(json.dumps({"messages": one}).encode() + b"\n" for one in examples),
    )
    run = stack.ended(name)
    [data] = stack.report(run)["data"]
    told = {f["code"]: (f["severity"], f["line"], f["times"], f["lines"]) for f in data["findings"]}
    assert (run["outcome"], data["errors"], told["TD-DATA-801"]) == (
        "rejected",
        1,
        ("error", 16, 1, []),
    )
    assert told["TD-DATA-811"] == ("warning", 13, 3, [13, 14, 15])
    assert 0 < data["trained"]["sum"] < data["assistant"]["sum"] < data["total"]["sum"]
    assert (data["over_limit"], data["max_example_tokens"], data["images"]) == (0, 65_536, None)
    assert "hf_A…" in (page := json.dumps(data, ensure_ascii=False))
    assert "hf_Ab" not in page


def a_turn(role: str, content: str, **more: int) -> dict[str, str | int]:
    """A message."""
    return {"role": role, "content": content, **more}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "TD-DATA", id="empty file"),
        pytest.param(b"\xff\xfe{\x00", "TD-DATA", id="not UTF-8"),
        pytest.param(a_training_set("few", 9), "TD-DATA", id="nine examples"),
        pytest.param(b'["a list"]\n' * 12, "TD-DATA", id="wrong shape"),
    ],
)
def test_unusable_file_is_rejected_with_a_named_finding(
    stack: Stack, name: str, content: bytes, code: str
) -> None:
    """Never silence, never a traceback."""
    stack.training.upload_blob(f"{name}.jsonl", content)
    run = stack.ended(name)
    assert run["outcome"] == "rejected"
    assert all(f["code"].startswith(code) for f in stack.report(run)["data"][0]["findings"])


def test_name_that_can_not_be_a_run_is_rejected_with_a_report(stack: Stack) -> None:
    """A bad name ends in a report, not in silence."""
    before = len(stack.runs("invalid-name"))
    stack.training.upload_blob("Not A Name.jsonl", a_training_set("x"), overwrite=True)
    rows = until(
        lambda: [r for r in stack.runs("invalid-name") if r["outcome"]][before:],
        what="the rejection",
    )
    assert stack.report(stack.run(rows[0]["id"]))["problem"]["code"] == "TD-DROP-001"


def test_job_file_with_an_unknown_field_names_the_nearest_known_one(
    stack: Stack, name: str
) -> None:
    """A typing error is not ignored."""
    stack.drop(name, a_training_set(name), job={"modle": "gpt-4.1-mini-2025-04-14"})
    run = stack.ended(name)
    assert run["outcome"] == "rejected"
    assert "`model`" in run["problem"]["message"]


def test_failed_job_ends_failed_and_deletes_the_files(stack: Stack, name: str) -> None:
    """The service's own words stand in the report, and nothing is left behind."""
    stack.control("POST", "faults", {"on": "job", "then": "rai_data"})
    stack.drop(name, a_training_set(name))
    run = stack.ended(name)
    assert run["outcome"] == "failed"
    assert "RAI checks" in run["problem"]["message"]
    assert gone(stack, run["id"])


def test_missing_quota_is_rejected_in_the_gate_and_nothing_is_bought(
    stack: Stack, name: str
) -> None:
    """What would fail in two hours is said before the upload."""
    stack.control("PUT", "limits", {"fine_tuned_quota_units": 1})
    try:
        stack.drop(name, a_training_set(name))
        run = stack.ended(name)
    finally:
        stack.control("PUT", "limits", {"fine_tuned_quota_units": 100_000})
    assert (run["outcome"], run["problem"]["code"]) == ("rejected", "TD-GATE-003")
    assert not [e for e in stack.asked("files.create") if run["id"] in e["request"]["filename"]]


def test_failed_deployment_ends_failed_and_is_deleted(stack: Stack, name: str) -> None:
    """A deployment that failed is not left to cost money."""
    stack.control("POST", "faults", {"on": "deployment", "then": {"ends": "Failed"}})
    stack.drop(name, a_training_set(name))
    run = stack.ended(name)
    assert run["outcome"] == "failed"
    assert gone(stack, run["id"])


def test_smoke_test_without_the_expected_words_deletes_the_deployment(
    stack: Stack, name: str
) -> None:
    """A model that doesn't say what it should is not left standing."""
    stack.drop(
        name,
        a_training_set(name),
        job={"smoke_test": {"messages": a_question(name), "expect": {"contains": ["octarine"]}}},
    )
    run = stack.ended(name)
    assert (run["outcome"], run["smoke_test"]) == ("failed", "failed")
    assert gone(stack, run["id"])


@pytest.mark.slow
def test_deployment_that_never_answers_is_deleted(stack: Stack, name: str) -> None:
    """A smoke test without an answer ends the run, and nothing is left to cost money."""
    stack.control("POST", "faults", {"on": "readiness", "then": "never"})
    stack.drop(name, a_training_set(name))
    run = stack.ended(name)
    assert (run["outcome"], run["smoke_test"]) == ("failed", "not_answered")
    assert gone(stack, run["id"])


def test_ten_different_drops_at_once_succeed(stack: Stack, name: str) -> None:
    """Ten at once, ten models."""
    names = [f"{name}-{number}" for number in range(10)]
    for one in names:
        stack.drop(one, a_training_set(one))
    assert {stack.ended(one, 90)["outcome"] for one in names} == {"succeeded"}
