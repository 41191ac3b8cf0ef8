"""job.json and the settings, by value."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.errors import PlanRejected
from shared.models.job_file import DeployRequest, JobFile
from shared.models.plan import Pin, Plan
from shared.runs import planning
from shared.runs.reuse import id_of
from shared.settings import Settings
from tests.builders import a_drop, a_record

ROOT = Path(__file__).parents[3]
PIN = Pin(blob="travel/training_set.jsonl", etag="0x1", bytes=10)


def refused(content: bytes) -> str:
    """The message with which this job.json is refused."""
    with pytest.raises(PlanRejected) as caught:
        planning.parsed(content)
    return caught.value.problem.message


def planned(job: dict[str, Any], **settings: Any) -> Plan:
    """The plan of a drop with this job.json."""
    return planning.planned(a_drop(), planning.checked(job), Settings(**settings), PIN, None, None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b'{"modle": "x"}', "did you mean `model`", id="unknown field"),
        pytest.param(
            b'{"deployment": {"nme": "x"}}',
            "in deployment (did you mean `deployment.name`",
            id="unknown field inside",
        ),
        pytest.param(b'{"seed": -1}', "`seed`", id="negative seed"),
        pytest.param(b'{"seed": 9223372036854775808}', "`seed`", id="seed of 2 to the 63"),
        pytest.param(b'{"hyperparameters": {"n_epochs": 0}}', "n_epochs", id="no epochs"),
        pytest.param(
            b'{"hyperparameters": {"n_epochs": 1000000}}', "n_epochs", id="a million epochs"
        ),
        pytest.param(b'{"budget": {"usd": NaN}}', "NaN and Infinity", id="NaN"),
        pytest.param(b'{"budget": {"usd": -1}}', "budget.usd", id="negative budget"),
        pytest.param(b'{"budget": {"usd": "5"}}', "budget.usd", id="budget in a string"),
        pytest.param(b'{"budget": {"usd": true}}', "budget.usd", id="budget true"),
        pytest.param(b'{"validation_split": "0.1"}', "validation_split", id="share in a string"),
        pytest.param(b'{"suffix": "' + b"a" * 64 + b'"}', "suffix", id="suffix of 64"),
        pytest.param('{"suffix": "ü"}'.encode(), "suffix", id="suffix not ASCII"),
        pytest.param(b'{"a": 1, "a": 2}', "same field twice", id="duplicate field"),
        pytest.param(b"[" * 100_000, "nested deeper than 64", id="depth"),
        pytest.param(b"\xff\xfe", "not UTF-8 at byte 0", id="not UTF-8"),
        pytest.param(b"[]", "the whole", id="a list"),
        pytest.param(b" " * (planning.JOB_FILE_MAX_BYTES + 1), "larger than", id="too large"),
        pytest.param(b'{"smoke_test": {"messages": []}}', "smoke_test.messages", id="no messages"),
        pytest.param(b'{"retrain": "yes"}', "`retrain`", id="not a boolean"),
    ],
)
def test_job_file_is_refused_with_the_field(content: bytes, told: str) -> None:
    """Each wrong field is named."""
    assert told in refused(content)


def test_refusal_never_quotes_the_value() -> None:
    """What stands in job.json is data."""
    assert "canary" not in refused(
        b'{"seed": "canary", "other": "canary", "training_type": "canary"}'
    )


@pytest.mark.parametrize(
    "job",
    [
        {"method": "dpo"},
        {"method": "reinforcement"},
        {"validation_split": 0.1},
        {"deployment": {"time_to_live_hours": 2}},
        {"deployment": {"strategy": "replace"}},
        {"evaluation": {"metric": "exact_match"}},
        {"approval": {}},
        {"notify": {"url": "https://example.com"}},
        {"retention": {"days": 3}},
    ],
    ids=str,
)
def test_field_of_a_later_release_is_not_supported_yet(job: dict[str, Any]) -> None:
    """Never silence."""
    with pytest.raises(PlanRejected, match="not supported yet"):
        planned(job)


def test_plan_without_a_job_file_takes_the_defaults() -> None:
    """The deployment is called like the run, and so is the model's suffix."""
    plan = planned({})
    assert plan.deployment.name == plan.suffix == a_drop().run_id
    assert plan.training.model == "gpt-4.1-mini-2025-04-14"


def test_drop_can_not_raise_its_own_limits() -> None:
    """Budget and capacity are clamped to the app's, and the report says so."""
    plan = planned(
        {"budget": {"usd": 1e9}, "deployment": {"capacity": 10**9}}, budget_usd=5, max_capacity=20
    )
    assert (plan.budget_usd, plan.deployment.capacity, len(plan.clamped)) == (5, 20, 2)


def test_model_that_is_not_allowed_is_refused() -> None:
    """The app decides which base models a drop may name."""
    with pytest.raises(PlanRejected, match="not in the list of allowed"):
        planned({"model": "gpt-4.1-2025-04-14"}, allowed_models=["gpt-4.1-mini-2025-04-14"])


@pytest.mark.parametrize(
    "model",
    ["gpt-4.1-canary", "gpt-4.1-日本語", "gpt-4.1-2025-04-14.ft-é", "gpt-4.1\u2028", "gpt-4.1\n"],
    ids=ascii,
)
def test_unknown_model_is_refused_before_anything_is_scanned(model: str) -> None:
    """Also a name that no ledger could keep in its metadata; none is repeated."""
    with pytest.raises(PlanRejected) as caught:
        planned({"model": model})
    problem = caught.value.problem
    assert (problem.code, "job.json" in problem.fix) == ("TD-PLAN-005", True)
    assert not {"canary", "日", "é"} & set(
        re.findall(r"canary|[^ -~]", problem.message + problem.fix)
    )


def test_unknown_model_of_the_settings_is_told_as_such() -> None:
    """Whoever drops files can't correct it in job.json."""
    with pytest.raises(PlanRejected) as caught:
        planned({}, model="gpt-unknown")
    assert (caught.value.problem.code, "TUNEDROP_MODEL" in caught.value.problem.fix) == (
        "TD-PLAN-005",
        True,
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*/job.json")), ids=lambda path: path.parent.name
)
def test_example_job_files_are_plans(path: Path) -> None:
    """Every job.json of the examples is accepted."""
    assert planned(json.loads(path.read_bytes()))


def test_published_schema_of_the_job_file_is_the_models() -> None:
    """docs/schemas/job.schema.json is written from the model."""
    published = json.loads((ROOT / "docs/schemas/job.schema.json").read_text())
    assert published == JobFile.model_json_schema()


def refused_plan(job: dict[str, Any], **settings: Any) -> str:
    """The code with which the plan of this job.json is refused."""
    with pytest.raises(PlanRejected) as caught:
        planned(job, **settings)
    return caught.value.problem.code


OLDER: dict[str, Any] = {"api_versions": {"training": "2024-05-01-preview"}}
OLDER_SURFACE = {"openai_surface": "api-version", "openai_api_version": "2024-10-21"}


@pytest.mark.parametrize(
    ("job", "settings", "code"),
    [
        pytest.param(
            {"model": "gpt-35-turbo-0125", "training_type": "Standard"},
            {},
            "TD-GATE-010",
            id="a model without a price",
        ),
        pytest.param(
            {"model": "gpt-oss-20b"},
            {"budget_usd": 0},
            "TD-GATE-010",
            id="open weights, and no budget",
        ),
        pytest.param(
            {"deployment": {"sku": "ProvisionedManaged", "capacity": 200}},
            {},
            "TD-GATE-011",
            id="provisioned units",
        ),
        pytest.param(
            {"deployment": {"sku": "Standard"}},
            {"allowed_skus": ["GlobalStandard"]},
            "TD-PLAN-006",
            id="a SKU not allowed",
        ),
        pytest.param(
            {**OLDER, "training_type": "Developer"},
            {},
            "TD-PLAN-009",
            id="a wish that job.json's own version can't carry",
        ),
        pytest.param(
            {"training_type": "Developer"},
            OLDER_SURFACE,
            "TD-PLAN-009",
            id="a wish that the surface can't carry",
        ),
        pytest.param(
            {"deployment": {"name": "victim-0c41aa97"}},
            {},
            "TD-PLAN-007",
            id="the id of another run",
        ),
        pytest.param(
            {"deployment": {"name": "Victim-0C41AA97"}},
            {},
            "TD-PLAN-007",
            id="the same in capitals",
        ),
        pytest.param(
            {"model": "gpt-4.1-mini-2025-04-14.ft-01-support-0c41aa97"},
            {},
            "TD-PLAN-008",
            id="somebody's model",
        ),
    ],
)
def test_what_no_budget_could_hold_or_would_take_from_others_is_refused(
    job: dict[str, Any], settings: dict[str, Any], code: str
) -> None:
    """Before anything is scanned, each with a code of its own."""
    assert refused_plan(job, **settings) == code


def test_default_training_type_that_the_surface_cannot_carry_is_not_sent() -> None:
    """The lab's way: it is trained as Standard, and priced so."""
    plan = planned({"model": "gpt-35-turbo-0613", **OLDER})
    assert plan.training.training_type is None
    assert plan.pinned is not None
    assert plan.pinned.prices.training_usd_per_million_tokens == pytest.approx(8 * 10 / 9)


def test_provisioned_sku_with_a_price_of_a_unit_is_priced_by_its_size(tmp_path: Path) -> None:
    """An owner who knows what a unit costs may allow it."""
    table = json.loads((ROOT / "tunedrop_check/counting/prices.json").read_text())
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({**table, "hosting_usd_per_unit_hour": {"provisionedmanaged": 2}}))
    plan = planned(
        {"deployment": {"sku": "ProvisionedManaged", "capacity": 15}}, price_table=str(file)
    )
    assert plan.pinned is not None
    assert plan.pinned.prices.hosting_usd_per_hour == 30


def test_price_table_that_is_gone_is_named(tmp_path: Path) -> None:
    """No "failed inside"."""
    assert refused_plan({}, price_table=str(tmp_path / "gone.json")) == "TD-SETTING-003"


def test_own_fine_tuned_model_is_left_to_the_gate() -> None:
    """Whose it is stands in the ledger."""
    assert planned(
        {"model": "gpt-4.1-mini-2025-04-14.ft-01-travel-0c41aa97"}, continue_from="own"
    ).training.model.endswith("0c41aa97")


def test_plan_pins_what_later_steps_read() -> None:
    """Account, api-versions, containers, spans, limits and prices of this moment."""
    plan = planned(
        {**OLDER},
        account="/a",
        openai_endpoint="https://a",
        arm_api_version="2025-06-01",
        span_mb=64,
        limits={"jobs": 7},
    )
    assert plan.pinned is not None
    account = plan.pinned.account
    assert (
        account.id,
        account.openai_endpoint,
        account.training_version,
        account.inference_version,
    ) == (
        "/a",
        "https://a",
        "2024-05-01-preview",
        None,
    )
    assert (account.deployment_version, account.management_version) == ("2025-06-01", "2025-06-01")
    assert (plan.pinned.span_bytes, plan.pinned.limits.jobs, plan.pinned.reports_container) == (
        64 * 2**20,
        7,
        "reports",
    )


def test_same_base_model_in_another_spelling_is_the_same_content() -> None:
    """Else it would be trained and paid for twice."""
    names = ("gpt-4.1-mini", "GPT-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14")
    assert {planned({"model": name}).training.model for name in names} == {
        "gpt-4.1-mini-2025-04-14"
    }


def deployed_again(body: dict[str, Any], **source: Any) -> Plan:
    """The plan of a run that deploys again the model of a run with this job.json."""
    return planning.redeployed(
        "travel-00000001", planned(source), DeployRequest.model_validate(body), Settings()
    )


@pytest.mark.parametrize("wish", [{"time_to_live_hours": 1}, {"strategy": "replace"}])
def test_deploying_again_refuses_what_is_not_supported_yet(wish: dict[str, Any]) -> None:
    """An end date that is ignored would cost by the hour."""
    with pytest.raises(PlanRejected) as caught:
        deployed_again({"deployment": wish})
    assert caught.value.problem.code == "TD-PLAN-003"


def test_deploying_again_keeps_what_is_left_out() -> None:
    """Question, expectation and budget are as the run had them; what is asked for instead
    counts.
    """
    before: dict[str, Any] = {
        "budget": {"usd": 3},
        "smoke_test": {
            "messages": [{"role": "user", "content": "Hello?"}],
            "expect": {"contains": ["hi"]},
        },
    }
    kept = deployed_again({}, **before)
    assert (kept.budget_usd, kept.smoke_test.contains) == (3, ("hi",))
    stricter = deployed_again({"smoke_test": {"expect": {"contains": ["MUST"]}}}, **before)
    assert (stricter.smoke_test.contains, stricter.smoke_test.messages) == (
        ("MUST",),
        kept.smoke_test.messages,
    )


def test_same_request_to_deploy_again_is_one_run_in_whatever_words() -> None:
    """What is left out is what it stands for; a run that deploys again stands for the one that has
    trained.
    """
    source = a_record(plan=planned({}))
    sku, capacity = source.plan.deployment.sku, source.plan.deployment.capacity  # pyright: ignore[reportOptionalMemberAccess]
    again = source.model_copy(update={"id": "travel-99999999", "reuse_of": source.id})
    spelled = DeployRequest.model_validate(
        {"deployment": {"sku": sku.upper(), "capacity": capacity}, "again": True}
    )
    assert (
        len(
            {
                id_of(source, DeployRequest(), 0),
                id_of(source, spelled, 0),
                id_of(again, DeployRequest(), 0),
            }
        )
        == 1
    )
    assert id_of(source, DeployRequest(), 0) != id_of(
        source, DeployRequest.model_validate({"deployment": {"name": "other"}}), 0
    )
