"""The description of the HTTP API against what is registered."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.models.api import RunDetail
from shared.models.record import Effect, Ending, JobProgress, Outcome, SmokeResult, Step
from tests.builders import NOW, a_record
from tests.unit.app.test_app import bindings
from triggers.openapi import description
from triggers.runs import shown

DESCRIBED = description()
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (path, method, operation)
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]


def registered() -> dict[str, tuple[str, str, str]]:
    """Path, method and level of every HTTP function, by its name."""
    return {
        name: (f"/{b['route']}", b["methods"][0].lower(), b["authLevel"].lower())
        for name, own in bindings().items()
        for b in own
        if b["type"] == "httpTrigger"
    }


def test_every_route_is_described_and_no_other() -> None:
    """By function, path and method."""
    assert {o["operationId"]: (path, method) for path, method, o in OPERATIONS} == {
        n: r[:2] for n, r in registered().items()
    }


def test_one_function_has_one_method() -> None:
    """Else the comparison above would miss one."""
    assert all(
        len(b["methods"]) == 1
        for own in bindings().values()
        for b in own
        if b["type"] == "httpTrigger"
    )


def test_key_is_described_where_it_is_needed() -> None:
    """By header or query, on every route but health."""
    needed = {name for name, (_, _, level) in registered().items() if level == "function"}
    assert {o["operationId"] for _, _, o in OPERATIONS if o["security"]} == needed
    assert {o["operationId"] for _, _, o in OPERATIONS if "401" in o["responses"]} == needed


def test_every_reference_leads_somewhere() -> None:
    """The description stands alone."""
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DESCRIBED)))
    assert names <= set(DESCRIBED["components"]["schemas"])


@pytest.mark.parametrize("name", sorted(DESCRIBED["components"]["schemas"]))
def test_schema_is_valid(name: str) -> None:
    """JSON Schema 2020-12, as OpenAPI 3.1 has it."""
    Draft202012Validator.check_schema(DESCRIBED["components"]["schemas"][name])


def test_description_says_what_a_body_is_bounded_to() -> None:
    """Size and depth."""
    assert "262144 bytes" in DESCRIBED["info"]["description"]
    assert "64 deep" in DESCRIBED["info"]["description"]


def test_description_holds_no_secret_and_no_address() -> None:
    """It is the same for everybody."""
    assert DESCRIBED["servers"] == [{"url": "/api"}]
    assert "http" not in json.dumps(DESCRIBED).replace("https://json-schema.org", "")


def valid(name: str, answer: Any) -> bool:
    """Whether this answer is as described."""
    validator: Any = Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DESCRIBED["components"]}
    )
    return bool(validator.is_valid(answer))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(a_record(plan=None, files={}), id="just claimed"),
        pytest.param(a_record(step=Step.GATE, waits_because="why"), id="waiting"),
        pytest.param(
            a_record(
                outcome=Outcome.SUCCEEDED,
                job=JobProgress(status="succeeded"),
                effects={"job": Effect(state="made", holder="h", at=NOW, id="ftjob-1")},
                smoke=SmokeResult(verdict="passed", answer="yes"),
            ),
            id="succeeded",
        ),
        pytest.param(
            a_record(
                ending=Ending(outcome=Outcome.DUPLICATE, duplicate_of="other-1"), ended_at=NOW
            ),
            id="duplicate",
        ),
    ],
)
def test_run_is_shown_as_described(record: Any) -> None:
    """Every field is there, null where there is nothing to tell."""
    told = shown(record)
    assert valid("RunDetail", json.loads(told.model_dump_json()))
    assert set(json.loads(told.model_dump_json())) == set(RunDetail.model_fields)


def test_described_refusal_is_refused_when_a_field_is_missing() -> None:
    """The check above can fail."""
    whole = {"error": {"code": "TD-HTTP-001", "message": "What.", "fix": None}}
    assert valid("Refusal", whole)
    assert not valid("Refusal", {"error": {"code": "TD-HTTP-001"}})
