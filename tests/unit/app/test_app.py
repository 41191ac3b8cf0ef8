"""The app as the Functions host indexes it."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from orchestrators.names import Activity, Orchestrator
from shared.errors import InternalError, Problem
from shared.models.base import wire
from shared.models.messages import WIRE_MAX_BYTES, Answer, EndRun, ScanSpan, StartRun
from shared.models.pace import AZURE
from shared.models.record import Outcome
from tests.registered import registered_functions

ROOT = Path(__file__).parents[3]
TAKEN_BY_OLD_HOSTS = re.compile(r"[A-Za-z][A-Za-z0-9]{0,127}|\$return")
BINDINGS = (
    "import azure.functions, azure.durable_functions, azurefunctions.extensions.bindings.blob, "
    "pydantic_settings"
)


@cache
def bindings() -> dict[str, list[dict[str, Any]]]:
    """The bindings of each function."""
    return {
        str(f.get_function_name()): json.loads(f.get_function_json())["bindings"]
        for f in registered_functions()
    }


def registered(trigger: str) -> set[str]:
    """The names of the functions with this kind of trigger."""
    return {
        name
        for name, own in bindings().items()
        if any(binding["type"] == trigger for binding in own)
    }


def test_activities_are_those_that_orchestrators_know_by_name() -> None:
    """No name without a function, no function without a name."""
    assert registered("activityTrigger") == {a.value for a in Activity}


def test_orchestrators_are_those_that_are_known_by_name() -> None:
    """No name without a function, no function without a name."""
    assert registered("orchestrationTrigger") == {o.value for o in Orchestrator}


def test_app_serves_no_function_that_a_package_brings() -> None:
    """Durable's own HTTP activity would send a token of the app's identity to whatever address it
    is given.
    """
    assert [name for name in bindings() if "__" in name or name.startswith("BuiltIn")] == []


def test_every_host_takes_the_names_of_the_bindings() -> None:
    """Hosts before 4.1038 refuse any other name, and say that they run: a drop would start a run
    that never moves.
    """
    names = {
        f"{function}: {binding['name']}" for function, own in bindings().items() for binding in own
    }
    assert {
        name for name in names if not TAKEN_BY_OLD_HOSTS.fullmatch(name.partition(": ")[2])
    } == set()


def test_every_route_but_health_needs_a_key() -> None:
    """Function-level keys on all HTTP functions."""
    levels = {
        name: b["authLevel"].lower()
        for name, own in bindings().items()
        for b in own
        if b["type"] == "httpTrigger"
    }
    assert levels.pop("health") == "anonymous"
    assert set(levels.values()) == {"function"}


@pytest.mark.parametrize(
    "message",
    [
        StartRun(run_id="a" * 40, pace=AZURE),
        ScanSpan(
            run_id="a" * 40, pace=AZURE, role="training", index=99_999, start=2**40, stop=2**40
        ),
        EndRun(run_id="a" * 40, outcome=Outcome.FAILED, problem=InternalError("x" * 5_000).problem),
        Answer(
            kind="ended",
            problem=Problem(kind="data", code="TD-DROP-006", message="m" * 1_000, fix="m" * 1_000),
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_stay_small(message: Any) -> None:
    """Only references and summaries cross the durable engine."""
    assert len(json.dumps(wire(message))) < WIRE_MAX_BYTES


@pytest.mark.parametrize("module", ["openai", "azure.mgmt", "tiktoken", "numpy", "jinja2"])
def test_import_of_the_app_leaves_the_heavy_modules_out(module: str) -> None:
    """They are imported by the first activity that needs them."""
    program = f"import sys, function_app; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_import_of_the_app_opens_no_socket() -> None:
    """Nothing is connected before it is used; urllib3, which the blob binding brings, probes for
    IPv6 when it is imported.
    """
    watch = (
        "import sys; seen = []; sys.addaudithook(lambda event, _: seen.append(event) if "
        "event.startswith('socket.') else None); "
    )
    seen = [
        subprocess.run(
            [sys.executable, "-c", f"{watch}{imports}; print(sorted(seen))"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for imports in (BINDINGS, "import function_app")
    ]
    assert seen[0] == seen[1]
    assert b"connect" not in seen[1]


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        "../other",
        "a/b",
        "..%2fb",
        "A",
        "a b",
        "a\n",
        "<b>",
        "a" * 41,
        "@entity@x",
        None,
        1,
        {"__class__": "C"},
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "message", [StartRun, ScanSpan, EndRun], ids=lambda message: message.__name__
)
def test_message_with_an_id_that_is_none_is_refused(
    message: type[BaseModel], run_id: object
) -> None:
    """An id becomes the name of blobs, and whoever can write to the task hub can send any message;
    no value is quoted.
    """
    whole = {
        "run_id": run_id,
        "role": "training",
        "index": 0,
        "start": 0,
        "stop": 1,
        "outcome": "failed",
    }
    with pytest.raises(ValidationError) as refused:
        message.model_validate(whole)
    assert [error["loc"] for error in refused.value.errors()] == [("run_id",)]
    assert "input_value" not in str(refused.value)
