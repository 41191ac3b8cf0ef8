"""The HTTP API of a running host against its own description, and what it never gives out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus

from tests.data import a_training_set
from tests.patience import patience
from tests.runs.stack import Stack

pytestmark = pytest.mark.timeout(240)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
)
NEVER_GIVEN_OUT = (
    "webhooks",
    "durabletask",
    "code=",
    "taskHub",
    "QueryGetUri",
    "rpcBaseUrl",
    "AccountKey",
    "sig=",
)


def judged(
    stack: Stack, description: dict[str, Any], folder: Path, *options: str
) -> "subprocess.CompletedProcess[str]":
    """schemathesis on this description, with a bounded number of requests that are the same each
    time.
    """
    (folder / "openapi.json").write_text(json.dumps(description), "utf-8")
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        str(folder / "openapi.json"),
        "--no-color",
        "--generation-deterministic",
    ]
    to = [
        "--url",
        f"http://127.0.0.1:{stack.port}/api",
        "--header",
        f"x-functions-key: {stack.key}",
        "--checks",
        ",".join(CHECKS),
    ]
    environment = {**os.environ, "CI": "1"}
    return subprocess.run(
        [*command, *to, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience(200),
        check=False,
    )


@pytest.mark.parametrize("examples", ["3", pytest.param("10", marks=pytest.mark.slow)])
def test_no_generated_request_gets_an_undocumented_answer(
    stack: Stack, name: str, tmp_path: Path, examples: str
) -> None:
    """Hundreds of valid and invalid requests to every operation, with and without the key: no 5xx,
    and nothing that isn't described.
    """
    stack.drop(name, a_training_set(name))
    run_id = stack.ended(name)["id"]
    description = stack.api.get("/openapi.json").raise_for_status().json()
    paths = description["paths"]
    for operation in (
        paths["/runs/{id}"]["get"],
        paths["/runs/{id}/report"]["get"],
        paths["/runs/{id}/cancel"]["post"],
    ):
        operation["parameters"][0]["example"] = run_id
    description["paths"]["/runs"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ] = {"run": name}
    done = judged(
        stack,
        description,
        tmp_path,
        "--max-examples",
        examples,
        "--phases",
        "examples,coverage,fuzzing",
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 8" in done.stdout


def test_undocumented_answer_is_found(stack: Stack, tmp_path: Path) -> None:
    """The check above can fail: a 404 that the description keeps back."""
    description = stack.api.get("/openapi.json").raise_for_status().json()
    del description["paths"]["/runs/{id}"]["get"]["responses"]["404"]
    done = judged(
        stack,
        description,
        tmp_path,
        "--include-path",
        "/runs/{id}",
        "--max-examples",
        "3",
        "--phases",
        "fuzzing",
    )
    assert (done.returncode, "Undocumented status code" in done.stdout) == (1, True)


def test_no_answer_gives_out_a_management_address(stack: Stack, name: str) -> None:
    """Not Durable's, which starts any orchestrator with any input, not the engine's, and no key:
    over every route and outcome.
    """
    stack.drop(name, a_training_set(name))
    started = stack.api.post("/runs", json={"run": name})
    run_id = started.json()["id"]
    answers = [
        started,
        stack.api.post("/runs", json={"run": name}),
        stack.api.post(f"/runs/{run_id}/cancel"),
        *(
            stack.api.get(path)
            for path in (
                "/runs",
                f"/runs/{run_id}",
                "/health",
                "/openapi.json",
                "/runs/nobody",
                "/nothing",
            )
        ),
        *(
            stack.api.get(f"/runs/{run_id}/report", params={"file": file})
            for file in ("report.json", "host.lock")
        ),
        stack.api.get("/runs", headers={"x-functions-key": "wrong"}),
        stack.api.post("/runs", content=b"{"),
    ]
    stack.ended(name)
    answers += [
        stack.api.get(f"/runs/{run_id}"),
        stack.api.get(f"/runs/{run_id}/report"),
        stack.api.post(f"/runs/{run_id}/cancel"),
    ]
    said = [f"{answer.text} {dict(answer.headers)}" for answer in answers]
    assert {answer.status_code for answer in answers} >= {200, 202, 401, 404, 409, 415}
    assert [(mark, text) for mark in NEVER_GIVEN_OUT for text in said if mark in text] == []


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(
            {"__class__": "HttpRequest", "__module__": "azure.functions", "__data__": "{}"},
            id="an object to build",
        ),
        pytest.param(
            {"run_id": {"__class__": "C", "__module__": "os", "__data__": "{}"}},
            id="an object inside",
        ),
        pytest.param({"run_id": "../../training/x"}, id="an id that leads elsewhere"),
        pytest.param(
            {"run_id": "nobody-00000000", "pace": {"settle_s": "soon"}}, id="a pace that is none"
        ),
        pytest.param(["run_id"], id="a list"),
        pytest.param(None, id="nothing"),
    ],
)
def test_hostile_message_in_the_task_hub_makes_nothing(stack: Stack, message: Any) -> None:
    """The orchestration fails by the type of its input, and neither storage nor service is written
    to.
    """
    hub = stack.hub()
    runs, written = len(stack.runs()), stack.written()
    try:
        instance = hub.schedule_new_orchestration("run", input=message)
        state = hub.wait_for_orchestration_completion(instance, timeout=patience(60))
    finally:
        hub.close()
    assert state is not None
    assert state.runtime_status is OrchestrationStatus.FAILED
    assert (len(stack.runs()), stack.written()) == (runs, written)
