"""Whole runs in East US 2 by the identity of docs/security.md: with its roles, and without each of
them in turn.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.models.record import Outcome, RunRecord, Step
from shared.runs import gate
from shared.services.storage import NotAllowed
from tests.builders import a_record
from tests.data import a_training_set
from tests.faults.blob_roles import APP
from tests.faults.rig import PACE, Rig
from tests.unit.app.test_health import asked as health
from tunedrop.emulator.roles import (
    ASSIGNED,
    BLOB_CONTRIBUTOR,
    BLOB_READER,
    OPENAI_CONTRIBUTOR,
    USAGES_READER,
)
from tunedrop.emulator.switches import Switches

pytestmark = pytest.mark.timeout(120)
# A role that doesn't come is not waited for as long as one that may be on its way.
QUICK = PACE.model_copy(update={"companion_s": 1, "gate_deadline_s": 1})
SECURITY = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")


@contextmanager
def without(rig: Rig, lacking: str, instead: str = "") -> Generator[None]:
    """The identity without one role, with another in its place where given: a switch of the
    stand-in, or a container of the storage.
    """
    if lacking in APP:
        rig.proxy.roles = {name: role for name, role in APP.items() if name != lacking}
    else:
        rig.control("PUT", "switches", {lacking: False, **({instead: True} if instead else {})})
    try:
        yield
    finally:
        rig.proxy.roles = APP
        rig.control(
            "PUT",
            "switches",
            {name: value for name, value in Switches().to_json().items() if name in ASSIGNED},
        )


def bought(rig: Rig, run_id: str) -> list[dict[str, Any]]:
    """Everything that the service made for a run."""
    return [
        one
        for what in ("files.create", "fine_tuning.jobs.create", "deployments.create_or_update")
        for one in rig.asked(what, run_id)
    ]


def test_identity_of_these_tests_is_that_of_the_documentation() -> None:
    """The roles that the stand-in and the storage hold the app to are the ones of docs/security.md,
    on the same scopes.
    """
    rows = [line for line in SECURITY.splitlines() if line.startswith("| ") and "`" in line]
    roles = {
        (OPENAI_CONTRIBUTOR, "Azure OpenAI account"),
        (USAGES_READER, "subscription"),
        (BLOB_READER, "container `training`"),
    }
    for role, scope in {*roles, (BLOB_CONTRIBUTOR, "containers `reports`, `tunedrop`")}:
        assert [row for row in rows if scope in row and f"{role.name} `{role.id}`" in row], (
            role.name
        )
    given = {role for switch, (role, _) in ASSIGNED.items() if Switches().to_json()[switch]}
    assert given == {OPENAI_CONTRIBUTOR, USAGES_READER}
    assert APP == {
        "training": BLOB_READER,
        "reports": BLOB_CONTRIBUTOR,
        "tunedrop": BLOB_CONTRIBUTOR,
    }


def test_default_drop_succeeds_in_the_default_region_with_the_documented_roles(rig: Rig) -> None:
    """From the drop to the answer, by token and not by key; the report says what the roles don't
    let the gate ask.
    """
    assert rig.control("GET", "state")["region"] == "eastus2"
    record = rig.ended(rig.start(rig.put("ground", a_training_set("ground"))))
    assert (record.outcome, record.made("deployment")) == (Outcome.SUCCEEDED, record.id)
    assert json.loads(rig.reported(record))["not_asked"] == [gate.NO_PERMISSIONS]
    [job] = rig.asked("fine_tuning.jobs.create", record.id)
    assert job["request"]["body"]["trainingType"] == "GlobalStandard"


@pytest.mark.parametrize(
    ("name", "job", "code", "named"),
    [
        pytest.param(
            "regional",
            {"training_type": "Standard"},
            "TD-GATE-014",
            "training type Standard",
            id="trained by Standard",
        ),
        pytest.param(
            "of-the-base",
            {"deployment": {"sku": "Standard"}},
            "TD-GATE-002",
            "SKU Standard",
            id="SKU of the base model alone",
        ),
        pytest.param(
            "lab",
            {"model": "gpt-35-turbo-0613"},
            "TD-GATE-001",
            "gpt-35-turbo-0613",
            id="model of another region",
        ),
    ],
)
def test_what_the_default_region_does_not_offer_is_rejected_by_name(
    rig: Rig, name: str, job: dict[str, Any], code: str, named: str
) -> None:
    """In East US 2, in the gate, and nothing is bought."""
    record = rig.ended(rig.start(rig.put(name, a_training_set(name)), job=job))
    problem = problem_of(record)
    assert (record.outcome, problem[0]) == (Outcome.REJECTED, code)
    assert named in problem[1]
    assert bought(rig, record.id) == []


def problem_of(record: RunRecord) -> tuple[str, str, str]:
    """Code, sentence and fix of an ended run."""
    assert record.ending is not None
    assert record.ending.problem is not None
    problem = record.ending.problem
    return problem.code, problem.message, problem.fix


CHOSEN = "role_openai_contributor"
ROLE = "Assign it the role Cognitive Services OpenAI Contributor on the account"
NOT_IN = (
    "the app's identity has no right to do this in the container {}: 403 "
    "AuthorizationPermissionMismatch"
)


@pytest.mark.parametrize(
    ("name", "lacking", "instead", "outcome", "sentence", "fix"),
    [
        pytest.param(
            "no-openai",
            CHOSEN,
            "",
            Outcome.FAILED,
            "AuthorizationFailed",
            ROLE,
            id="OpenAI Contributor",
        ),
        pytest.param(
            *(
                "user",
                "role_openai_contributor",
                "role_openai_user",
                Outcome.FAILED,
                "PermissionDenied",
                ROLE,
            ),
            id="OpenAI User in its place",
        ),
        pytest.param(
            *(
                "keys",
                "role_openai_contributor",
                "role_contributor",
                Outcome.FAILED,
                "PermissionDenied",
                ROLE,
            ),
            id="Contributor in its place",
        ),
        pytest.param(
            "no-drops",
            "training",
            "",
            Outcome.EXPIRED,
            NOT_IN.format("training"),
            "",
            id="Blob Data Reader on the drops",
        ),
        pytest.param(
            "no-reports",
            "reports",
            "",
            Outcome.EXPIRED,
            NOT_IN.format("reports"),
            "",
            id="Blob Data Contributor on the reports",
        ),
    ],
)
def test_run_without_a_role_ends_with_its_diagnosis_and_buys_nothing(
    rig: Rig, name: str, lacking: str, instead: str, outcome: Outcome, sentence: str, fix: str
) -> None:
    """Each role that a run needs, in turn: what lacks is named, before a file is sent or a job
    begun.
    """
    drop = rig.put(name, a_training_set(name))
    with without(rig, lacking, instead):
        record = rig.ended(rig.start(drop, QUICK))
    problem = problem_of(record)
    assert (record.outcome, record.effects.get("job")) == (outcome, None)
    assert sentence in problem[1]
    assert fix in problem[2]
    assert bought(rig, record.id) == []


def test_ledger_without_a_role_begins_no_run_and_is_named(rig: Rig) -> None:
    """Without the role on the ledger nothing can be claimed: whoever asks is told the role, and
    health says which.
    """
    record = a_record("no-ledger")
    with without(rig, "tunedrop"):
        with pytest.raises(
            NotAllowed, match="has no right to do this in the container tunedrop"
        ) as refused:
            rig.ledger.claim(record)
        assert health() == (503, {"status": "incomplete", "missing": ["ledger role"]})
    assert refused.value.problem.code == "TD-STORAGE-003"
    assert (
        "Storage Blob Data Contributor on the containers of the reports and the ledger"
        in refused.value.problem.fix
    )
    assert rig.ledger.read(record.id) is None


def test_run_without_the_reader_of_usages_succeeds_and_says_what_was_not_asked(rig: Rig) -> None:
    """The quota is not known before; the report says so, and names the role."""
    drop = rig.put("no-usages", a_training_set("no-usages"))
    with without(rig, "role_usages_reader"):
        record = rig.ended(rig.start(drop))
    assert record.outcome is Outcome.SUCCEEDED
    assert json.loads(rig.reported(record))["not_asked"] == [gate.NO_QUOTAS, gate.NO_PERMISSIONS]
    assert re.search(r"Cognitive Services Usages Reader on the\s+subscription", rig.page(record))


def test_wait_for_a_role_says_so(rig: Rig) -> None:
    """A role that is on its way is waited for, at the gate too; the row of the run says for which,
    and the run goes on when it is there.
    """
    drop = rig.put("late-role", a_training_set("late-role"))
    with without(rig, "reports"):
        run_id = rig.start(drop)
        waiting = rig.until(
            lambda: (
                (found := rig.ledger.get(run_id).record).step is Step.GATE and found.waits_because
            )
        )
    assert NOT_IN.format("reports") in str(waiting)
    assert rig.ended(run_id).outcome is Outcome.SUCCEEDED
