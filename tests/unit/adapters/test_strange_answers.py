"""Answers that nobody expects: each is a fact of the kind that it is said to be, or no answer;
nothing surprises later.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from shared.errors import OutcomeUnknown, ServiceUnavailable
from shared.services.azure_openai import AzureOpenAI, JobFacts, Reply
from shared.services.resource_manager import ResourceManager
from tests.unit.adapters import arm_wire, openai_wire
from tests.unit.adapters.openai_wire import file_body, job_body
from tests.unit.adapters.test_azure_openai_asking import chat_body
from tests.unit.adapters.test_azure_openai_creating import create_job, upload
from tests.unit.adapters.test_resource_manager import put

STRANGE: dict[str, Any] = {
    "year-three-trillion": 10**20,
    "float-without-end": 1e308,
    "negative": -1,
    "fraction": 0.5,
    "text": "text",
    "number-in-text": "17",
    "yes": True,
    "nothing": None,
    "empty-text": "",
    "list": [],
    "list-of-numbers": [1],
    "list-of-lists": [[]],
    "object": {},
    "object-in-object": {"a": {"b": 1}},
    "control": "a\0b\nc",
    "long": "x" * 100_000,
    "path": "../../files/other",
    "milliseconds": 1_700_000_000_000_000,
    "digits": int("9" * 400),
}
BODIES: dict[str, bytes] = {
    "null": b"null",
    "text": b'"text"',
    "number": b"5",
    "list": b"[]",
    "list-of-texts": b'["a"]',
    "nothing": b"",
    "nan": b'{"id": NaN, "name": NaN}',
    "infinity": b'{"created_at": 1e999}',
    "twice": b'{"id": "a", "id": "b"}',
    "deep": b"[" * 100_000,
    "deep-object": b'{"data": ' * 5_000,
    "not-utf-8": b'{"id": "\xff\xfe"}',
    "utf-16": '{"id": "x"}'.encode("utf-16"),
    "digits": b'{"created_at": ' + b"9" * 5_000 + b"}",
    "data-is-text": b'{"data": "text", "value": "text", "choices": "text", "has_more": "text"}',
    "data-holds-texts": b'{"data": ["a", null, 5], "value": ["a", null, 5], "choices": ["a"]}',
    "page": b"<html>hello</html>",
}

type OfOpenAI = Callable[[AzureOpenAI], Any]
type OfArm = Callable[[ResourceManager], Any]


def listed(body: dict[str, Any]) -> dict[str, Any]:
    """A page with this in it."""
    return {"object": "list", "data": [body], "has_more": False}


def event_body() -> dict[str, Any]:
    """An event as the service tells it."""
    return {
        "id": "ev-1",
        "created_at": 1,
        "level": "info",
        "message": "m",
        "type": "metrics",
        "data": {"step": 1, "train_loss": 0.5},
    }


OPENAI: dict[
    str, tuple[OfOpenAI, Callable[[], dict[str, Any]], Callable[[dict[str, Any]], Any]]
] = {
    "file": (lambda service: service.file("file-1"), file_body, lambda body: body),
    "files": (lambda service: service.files_named("travel.jsonl"), file_body, listed),
    "job": (lambda service: service.job("ftjob-1"), job_body, lambda body: body),
    "job-method": (
        lambda service: service.job("ftjob-1"),
        lambda: {"type": "dpo", "dpo": {}},
        lambda body: job_body(method=body),
    ),
    "job-error": (
        lambda service: service.job("ftjob-1"),
        lambda: {"code": "c", "message": "m"},
        lambda body: job_body(error=body),
    ),
    "jobs": (lambda service: service.jobs_of_file("file-1"), job_body, listed),
    "page-of-jobs": (
        lambda service: service.count_jobs(),
        lambda: listed(job_body()),
        lambda body: body,
    ),
    "events": (lambda service: service.events("ftjob-1", 5), event_body, listed),
    "event-data": (
        lambda service: service.events("ftjob-1", 5),
        lambda: {"step": 1},
        lambda data: listed(event_body() | {"data": data}),
    ),
    "chat": (
        lambda service: service.chat("d", [], 5),
        lambda: chat_body("Lisbon"),
        lambda body: body,
    ),
    "chat-choice": (
        lambda service: service.chat("d", [], 5),
        lambda: {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "x"},
        },
        lambda choice: chat_body("x") | {"choices": [choice]},
    ),
    "create-job": (create_job, job_body, lambda body: body),
    "upload": (upload, file_body, lambda body: body),
}
ARM: dict[str, tuple[OfArm, Callable[[], dict[str, Any]], Callable[[dict[str, Any]], Any]]] = {
    "account": (
        lambda arm: arm.location(),
        lambda: {"name": "lab", "location": "westus"},
        lambda body: body,
    ),
    "deployment": (lambda arm: arm.deployment("d"), arm_wire.deployment_body, lambda body: body),
    "deployment-sku": (
        lambda arm: arm.deployment("d"),
        lambda: {"name": "s", "capacity": 1},
        lambda sku: arm_wire.deployment_body(sku=sku),
    ),
    "deployment-properties": (
        lambda arm: arm.deployment("d"),
        lambda: {"model": {"name": "m"}, "provisioningState": "Succeeded"},
        lambda properties: arm_wire.deployment_body(properties=properties),
    ),
    "deployments": (
        lambda arm: arm.deployments(),
        arm_wire.deployment_body,
        lambda body: {"value": [body]},
    ),
    "page": (
        lambda arm: arm.deployments(),
        lambda: {"value": [], "nextLink": None},
        lambda body: body,
    ),
    "models": (
        lambda arm: arm.models(),
        lambda: {
            "name": "m",
            "version": "1",
            "skus": [{"name": "s", "usageName": "u"}],
            "capabilities": {"fineTune": "true"},
        },
        lambda body: {"value": [body]},
    ),
    "usages": (
        lambda arm: arm.quotas("westus"),
        lambda: {"name": {"value": "q"}, "currentValue": 1, "limit": 2},
        lambda body: {"value": [body]},
    ),
    "permissions": (
        lambda arm: arm.may_deploy(),
        lambda: {"actions": ["*"], "notActions": []},
        lambda body: {"value": [body]},
    ),
    "policies": (
        lambda arm: arm.rai_policies(),
        lambda: {"name": "p"},
        lambda body: {"value": [body]},
    ),
}


def fields(table: dict[str, Any]) -> list[Any]:
    """Every field of every body."""
    return [
        pytest.param(name, field, id=f"{name}-{field}")
        for name, (_, body, _) in table.items()
        for field in body()
    ]


@pytest.mark.parametrize(("name", "field"), fields(OPENAI))
def test_strange_field_of_azure_openai_is_a_fact_or_no_answer(name: str, field: str) -> None:
    """Whatever a field holds, what comes out can be kept, told and reckoned with."""
    ask, body, around = OPENAI[name]
    for strange in STRANGE.values():
        answer = json.dumps(around(body() | {field: strange})).encode()
        with _no_surprise(creating=name in {"create-job", "upload"}):
            _sound(ask(openai_wire.Wire(openai_wire.raw(200, answer)).service()))


@pytest.mark.parametrize(("name", "field"), fields(ARM))
def test_strange_field_of_the_management_plane_is_a_fact_or_no_answer(
    name: str, field: str
) -> None:
    """The same there."""
    ask, body, around = ARM[name]
    for strange in STRANGE.values():
        answer = json.dumps(around(body() | {field: strange})).encode()
        with _no_surprise():
            _sound(ask(arm_wire.Wire(arm_wire.raw(200, answer)).manager()))


@pytest.mark.parametrize("name", OPENAI)
def test_strange_body_of_azure_openai_is_no_answer(name: str) -> None:
    """Bodies that are none, on every call."""
    for body in BODIES.values():
        with _no_surprise(creating=name in {"create-job", "upload"}):
            _sound(OPENAI[name][0](openai_wire.Wire(openai_wire.raw(200, body)).service()))


@pytest.mark.parametrize("name", ARM)
def test_strange_body_of_the_management_plane_is_no_answer(name: str) -> None:
    """The same there, also as an error's body, with a type that isn't one, and with an encoding
    that nobody knows.
    """
    for body in BODIES.values():
        for answering in (
            arm_wire.raw(200, body),
            arm_wire.raw(503, body),
            arm_wire.raw(200, body, content_type="application/json; charset=klingon"),
            arm_wire.raw(200, body, content_type="text/xml"),
        ):
            with _no_surprise():
                _sound(ARM[name][0](arm_wire.Wire(answering).manager()))


@pytest.mark.parametrize("name", [name for name in BODIES if not name.startswith("deep")])
def test_put_is_a_yes_whatever_its_body_is(name: str) -> None:
    """The name is ours; nothing is read of the answer."""
    assert put(arm_wire.Wire(arm_wire.raw(200, BODIES[name])).manager()) == "travel"


@pytest.mark.parametrize(
    "field",
    ["created_at", "finished_at", "trained_tokens", "status", "result_files", "fine_tuned_model"],
)
@pytest.mark.parametrize(
    "strange",
    [10**20, 1e308, "text", [1], {"a": 1}],
    ids=["10**20", "1e308", "text", "list", "object"],
)
def test_job_with_a_strange_fact_is_asked_for_again(field: str, strange: Any) -> None:
    """Only names take any text; a time that no calendar has, and a number that is none, are no
    facts.
    """
    service = openai_wire.Wire(openai_wire.told(job_body(**{field: strange}))).service()
    if field in {"status", "fine_tuned_model"} and strange == "text":
        assert service.job("ftjob-1") is not None
    else:
        with pytest.raises(
            ServiceUnavailable,
            match=f"`{'id' if field == 'result_files' and strange == [1] else field}` is no",
        ):
            service.job("ftjob-1")


def test_strange_job_of_somebody_else_hides_not_our_own() -> None:
    """One job with a number for a name must not keep every run of the account from finding
    its job.
    """
    others = [
        job_body(id="other", training_file="file-2", created_at="yesterday"),
        job_body(id="third", training_file="file-3", status=5),
    ]
    service = openai_wire.Wire(
        openai_wire.told({"data": [*others, job_body()], "has_more": False})
    ).service()
    assert [job.id for job in service.jobs_of_file("file-1")] == ["ftjob-1"]
    assert service.count_jobs() == 3


@pytest.mark.parametrize(
    "changes", [{"created_at": "yesterday"}, {"status": 5}, {"training_file": 5}]
)
def test_own_job_that_is_strange_is_not_taken_for_none(changes: dict[str, Any]) -> None:
    """Where the run's own job may be among the strange ones, nothing is known, and nothing is
    bought again.
    """
    service = openai_wire.Wire(
        openai_wire.told({"data": [job_body(**changes)], "has_more": False})
    ).service()
    with pytest.raises(ServiceUnavailable):
        service.jobs_of_file("file-1")


class _no_surprise:
    """Inside, the errors of an answer that can't be used are fine, and no others."""

    def __init__(self, creating: bool = False) -> None:
        self._fine = OutcomeUnknown if creating else ServiceUnavailable

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> bool:
        """Whether it was fine."""
        return isinstance(error, self._fine) and len(str(error)) < 1_000


def _sound(found: Any) -> None:
    for value in _values(found):
        # The words of a model are its own.
        if isinstance(value, str) and not isinstance(found, Reply):
            assert len(value) <= 1_000
            assert value.isprintable()
        if isinstance(value, int | float):
            assert 0 <= value < 1e16 or isinstance(value, bool | float)
    answers: list[Any] = [*cast("list[Any]", found)] if isinstance(found, list) else [found]
    jobs = [one for one in answers if isinstance(one, JobFacts)]
    for job in jobs:
        for second in (job.created_at, job.finished_at or 0):
            assert datetime.fromtimestamp(second, UTC).year <= 9999
    json.dumps([dataclasses.asdict(one) for one in jobs])


def _values(found: Any) -> Iterator[Any]:
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        found = vars(found)
    if isinstance(found, dict):
        found = list(found.values())  # type: ignore[misc]
    if isinstance(found, list | tuple | frozenset):
        for value in found:  # type: ignore[misc]
            yield from _values(value)
    else:
        yield found
