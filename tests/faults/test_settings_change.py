"""Every setting, changed in the middle of a run: it shows no effect, or one that docs/settings.md
names.

The setting changes in the moment in which the plan stands in the ledger: each later read of the
settings sees the new value.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.models.pace import AZURE
from shared.models.record import Outcome, RunRecord
from shared.runs import checkpoints
from shared.runs.result_files import report_path
from shared.settings import Settings
from tests.data import a_training_set
from tests.faults.rig import CACHES, Rig

pytestmark = pytest.mark.timeout(120)
ROOT = Path(__file__).parents[2]
PLANNED = "make_plan: after the record"
# A value that would change much if it were read later.
CHANGED: dict[str, str] = {
    "training_container": "elsewhere",
    "reports_container": "otherreports",
    "blob_source": "EventGrid",
    "sweep_schedule": "0 0 0 1 1 *",
    "claim_patience_s": "9999",
    "drop_patience_s": "9999",
    "sweep_days": "1",
    "sweep_blobs": "1",
    "pace": AZURE.model_copy(
        update={"file_deadline_s": 0.0, "job_deadline_s": 0.0, "upload_s": 0.0, "call_s": 0.0}
    ).model_dump_json(),
    "span_mb": "8",
    "openai_endpoint": "http://127.0.0.1:9",
    "openai_surface": "api-version",
    "openai_api_version": "2024-05-01-preview",
    "arm_endpoint": "http://127.0.0.1:9",
    "arm_api_version": "2023-05-01",
    "account": (
        "/subscriptions/0/resourceGroups/other/providers/Microsoft.CognitiveServices/accounts/other"
    ),
    "managed_identity_client_id": "00000000-0000-0000-0000-000000000001",
    "model": "gpt-4o-2024-08-06",
    "allowed_models": '["gpt-4o-2024-08-06"]',
    "training_type": "Developer",
    "deployment_sku": "Standard",
    "allowed_skus": '["Standard"]',
    "deployment_capacity": "1",
    "max_capacity": "1",
    "budget_usd": "0",
    "limits": '{"files": 0, "jobs": 0, "fine_tuned_deployments": 0, "deployments": 0}',
    "data_secrets": "warning",
    "worst_training_price": "1000000",
    "continue_from": "own",
    "price_table": "/nowhere/prices.json",
}
# What stays live on purpose, and why.
LIVE: dict[str, str] = {
    "jobs_at_a_time": "the wallet is the owner's brake on all runs together",
    "jobs_a_day": "the same",
    "usd_a_day": "the same",
    "when_day_is_full": "the same",
    "ledger_container": "the record itself stands there",
    "openai_api_key": "a secret is never pinned",
    "credential": "who calls is the machine's, not the run's",
}
LIVE_VALUES = {"jobs_a_day": "0", "usd_a_day": "0"}
MONEY = ("worst_case_usd", "price_table_date", "remove_command", "usd_per_million_tokens")
QUICK = ("span_mb", "openai_endpoint", "pace", "price_table")


def forget() -> None:
    """What the app caches of its settings is read anew."""
    for cache in CACHES:
        cache.cache_clear()


@contextmanager
def changed_at(point: str, variable: str, value: str) -> Generator[list[str]]:
    """For this long a setting changes when this point is first passed; what was passed is noted."""
    passed: list[str] = []
    with pytest.MonkeyPatch.context() as environment:

        def at(reached: str) -> None:
            passed.append(reached)
            if reached == point and passed.count(point) == 1:
                environment.setenv(variable, value)
                forget()

        checkpoints.observe(at)
        try:
            yield passed
        finally:
            checkpoints.observe(None)
    forget()


def ran(rig: Rig, name: str, variable: str, value: str) -> RunRecord:
    """The record of a run in whose middle a setting changed."""
    drop = rig.put(name, a_training_set(name))
    with changed_at(PLANNED, variable, value) as passed:
        record = rig.ended(rig.start(drop, job=dict[str, Any]()))
        assert PLANNED in passed
    return record


def told(rig: Rig, record: RunRecord) -> dict[str, Any]:
    """The report without what differs between any two runs."""
    text = rig.reported(record).replace(record.id, "RUN").replace(record.drop.name, "NAME")
    text = re.sub(
        r'"[^"]*\d\d:\d\d:\d\d[^"]*"', '"TIME"', re.sub(r"(file|ftjob)-[0-9a-f]+", "ID", text)
    )
    report: dict[str, Any] = json.loads(text)
    return {
        "outcome": report["outcome"],
        "settings": report["settings"],
        "money": {name: report["money"][name] for name in MONEY},
        "data": [
            {name: part[name] for name in ("role", "bytes", "examples", "errors", "total")}
            for part in report["data"]
        ],
        "deployment": {
            name: report["deployment"][name]
            for name in ("name", "sku", "capacity", "state", "stands")
        },
        "clean_up": [row["result"] for row in report["clean_up"]],
        "stand_in": report["stand_in"],
    }


@pytest.fixture(scope="module")
def undisturbed(rig: Rig) -> dict[str, Any]:
    """What a run tells in whose middle nothing changed."""
    return told(rig, ran(rig, "settings-10", "TUNEDROP_SWEEP_SCHEDULE", "0 */5 * * * *"))


def test_every_setting_has_its_row() -> None:
    """A new setting needs a value here, or a reason why it stays live."""
    assert set(CHANGED) | set(LIVE) == set(Settings.model_fields)
    assert not set(CHANGED) & set(LIVE)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CHANGED],
)
def test_setting_that_changes_in_the_middle_of_a_run_has_no_effect_on_it(
    rig: Rig, undisturbed: dict[str, Any], name: str
) -> None:
    """The run ends as it would have, on its own account, and takes back what it must."""
    record = ran(
        rig, f"settings-{list(CHANGED).index(name) + 11}", f"TUNEDROP_{name.upper()}", CHANGED[name]
    )
    assert record.outcome is Outcome.SUCCEEDED, record.ending
    assert told(rig, record) == undisturbed
    assert len(rig.jobs(record.id)) == 1
    assert not [left for left in rig.left(record.id) if "file-" in left and '"purpose"' in left]


def test_report_of_a_run_without_a_plan_is_named_where_it_was_written(rig: Rig) -> None:
    """It pins no container: both files stand where the first was written."""
    drop = rig.put("settings-unplanned", a_training_set("settings-unplanned"))
    with changed_at(
        "write_report: after report.json", "TUNEDROP_REPORTS_CONTAINER", "otherreports"
    ) as passed:
        record = rig.ended(rig.start(drop, job={"no_such_field": 1}))
        assert "write_report: after report.json" in passed
    assert (record.outcome, record.plan) == (Outcome.REJECTED, None)
    assert record.report == f"{Settings().reports_container}/{report_path(record, 'report.html')}"


@pytest.mark.parametrize("name", list(LIVE))
def test_effect_of_a_live_setting_is_told(name: str) -> None:
    """docs/settings.md has a row for it, and for no other."""
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = set(
        re.findall(
            r"^\| TUNEDROP_(\w+) \|",
            page.split("## What a change does to runs under way")[1],
            re.MULTILINE,
        )
    )
    assert rows == {live.upper() for live in LIVE}
    assert name.upper() in rows


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LIVE_VALUES))
def test_live_setting_of_the_wallet_reaches_a_run_that_has_not_bought(rig: Rig, name: str) -> None:
    """The named effect: the run ends rejected, and nothing was bought."""
    record = ran(
        rig, f"live-{name.replace('_', '-')}", f"TUNEDROP_{name.upper()}", LIVE_VALUES[name]
    )
    assert record.outcome is Outcome.REJECTED
    assert rig.jobs(record.id) == []
