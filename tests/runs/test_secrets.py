"""Secrets and data stay where they are: canaries in every setting and in the drops, and a search of
all that TuneDrop says and keeps.
"""

import base64
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import httpx2
import pytest

from tests.runs.canaries import Said, everything, found
from tests.runs.stack import ROOT, Keys, Stack, running_stack

pytestmark = pytest.mark.timeout(300)


def word() -> str:
    """A canary: letters and digits that stand nowhere else."""
    return f"Canary{secrets.token_hex(12)}"


SETTINGS = {
    "storage account key": base64.b64encode(f"{word()}{word()}xxxx".encode()).decode(),
    "service key": word(),
    "function key": word(),
    "host storage connection": word(),
    "telemetry key": word(),
    "identity header": word(),
    "client secret": word(),
    "left-over OpenAI key": word(),
    "left-over Azure OpenAI key": word(),
    "left-over token": word(),
    "SAS": word(),
}
ENVIRONMENT = {
    "TUNEDROP_DATA_SECRETS": "warning",  # so that runs with secrets in their data go the whole way
    "AzureWebJobsStorage": (
        "DefaultEndpointsProtocol=https;AccountName=host;"
        f"AccountKey={SETTINGS['host storage connection']}=="
    ),
    "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={SETTINGS['telemetry key']};IngestionEndpoint=http://127.0.0.1:9/",
    "IDENTITY_HEADER": SETTINGS["identity header"],
    "AZURE_CLIENT_SECRET": SETTINGS["client secret"],
    "OPENAI_API_KEY": SETTINGS["left-over OpenAI key"],
    "AZURE_OPENAI_API_KEY": SETTINGS["left-over Azure OpenAI key"],
    "AZURE_OPENAI_AD_TOKEN": SETTINGS["left-over token"],
    "WEBSITE_RUN_FROM_PACKAGE": f"https://host.example/package.zip?sp=r&sig={SETTINGS['SAS']}",
}
DATA = {
    "cloud key": f"AKIA{secrets.token_hex(8).upper()}",
    "repository token": f"ghp_{secrets.token_hex(18)}",
    "password in an address": word(),
    "person's name": word(),
    "mail address": f"{word()}@example.com",
    "system text": word(),
    "question": word(),
    "answer": word(),
    "message name": word(),
    "unknown field": word(),
    "broken line": word(),
    "validation text": word(),
    # a name that is an identifier would be repeated, so that it can be corrected
    "unknown setting": f"{word()} is text",
    "wrong setting": word(),
}
ECHO = {
    "status": 401,
    "code": "invalid_api_key",
    "message": f"Incorrect API key provided: {SETTINGS['service key']}.",
}
FAULTS: dict[str, list[dict[str, Any]]] = {
    "failed": [{"on": "job", "then": "rai_data"}],
    # An upload asks once more: the token could have run out.
    "echoed": [{"on": "files.create", "then": ECHO, "times": 2}],
    "faulty": [
        {"on": "files.create", "then": "drop_connection", "when": "after_commit"},
        {"on": "fine_tuning.jobs.create", "then": "truncated", "when": "after_commit"},
        {
            "on": "fine_tuning.jobs.retrieve",
            "then": {"status": 500, "code": "x", "message": "x"},
            "times": 2,
        },
    ],
}
OUTCOMES = {
    "good": "succeeded",
    "rejected": "rejected",
    "settings": "rejected",
    "failed": "failed",
    "echoed": "failed",
    "faulty": "succeeded",
    "asked": "succeeded",
}
TOLD = word()
"""The answer that the smoke test gets, which a report shows."""
ROW = {"question": word(), "answer": word()}
"""The row of the data that the smoke test asks where job.json names no question: the only texts of
a drop that a report shows.
"""


def an_example(subject: str, number: int) -> dict[str, Any]:
    """A chat example full of canaries."""
    secret = (
        f"{DATA['cloud key']} {DATA['repository token']} "
        f"https://me:{DATA['password in an address']}@host.example/"
    )
    return {
        "messages": [
            {"role": "system", "content": f"{DATA['system text']} {subject}"},
            {
                "role": "user",
                "name": DATA["message name"],
                "content": f"{DATA['question']} {number} {subject} {secret}",
            },
            {
                "role": "assistant",
                "content": (
                    f"{DATA['answer']} {number} {DATA["person's name"]} {DATA['mail address']}"
                ),
            },
        ]
    }


def lines(*examples: Any) -> bytes:
    """A JSONL file."""
    return b"".join(
        (e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n" for e in examples
    )


def a_proof(name: str) -> tuple[bytes, dict[str, Any]]:
    """A training set with a question whose answer is the told canary, and the job.json that asks
    it.
    """
    asked: dict[str, Any] = {
        "messages": [{"role": "user", "content": f"What is the word of {name}?"}]
    }
    answered = {
        "messages": [*asked["messages"], {"role": "assistant", "content": f"The word is {TOLD}."}]
    }
    training = lines(*(an_example(name, number) for number in range(12)), *[answered] * 12)
    return training, {"smoke_test": {**asked, "expect": {"contains": ["word"]}}}


def a_row() -> bytes:
    """A training set whose first row can be asked, and others that are like all others here."""
    row = [
        {"role": "user", "content": f"What is {ROW['question']}?"},
        {"role": "assistant", "content": f"It is {ROW['answer']}."},
    ]
    return lines({"messages": row}, *(an_example("asked", number) for number in range(12)))


def broken(name: str) -> bytes:
    """A training set with unknown fields, wrong values and a line that is cut off, each with a
    canary in it.
    """
    stray = {**an_example(name, 12), DATA["unknown field"]: 1}
    nested = {
        "messages": [
            {"role": "user", "content": "x", DATA["unknown field"]: DATA["answer"]},
            {"role": DATA["unknown field"]},
        ]
    }
    cut = f'{{"messages": [{{"role": "{DATA["broken line"]}'.encode()
    return lines(
        *(an_example(name, number) for number in range(12)),
        stray,
        nested,
        cut,
        {DATA["unknown field"]: []},
    )


def validation() -> bytes:
    """A validation set with a canary of its own."""
    more = {"role": "assistant", "content": DATA["validation text"]}
    return lines(
        *({"messages": [*an_example("v", number)["messages"], more]} for number in range(12))
    )


def drop_all(stack: Stack) -> dict[str, str]:
    """Two good runs, two rejected ones, two that fail and one with a faulty service; answers their
    outcomes.
    """
    training, job = a_proof("good")
    # A name that is an identifier is repeated, so that a slip can be found; a name with a space
    # could be any text.
    wrong = {
        f"my {DATA['unknown setting']}": DATA["wrong setting"],
        "seed": DATA["wrong setting"],
        "method": DATA["wrong setting"],
    }
    stack.drop("good", training, validation(), job)
    stack.drop("rejected", broken("rejected"))
    stack.drop("settings", training, job=wrong)
    stack.drop("asked", a_row())
    ends = {
        name: stack.ended(name, 120)["outcome"]
        for name in ("good", "rejected", "settings", "asked")
    }
    for name, faults in FAULTS.items():
        for fault in faults:
            stack.control("POST", "faults", fault)
        stack.drop(name, lines(*(an_example(name, number) for number in range(12))))
        ends[name] = stack.ended(name, 120)["outcome"]
    return ends


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("-v", False), id="at INFO"),
        pytest.param(("-vv", False), id="at DEBUG", marks=pytest.mark.slow),
        pytest.param(("-vv", True), id="at DEBUG, storage by SAS", marks=pytest.mark.slow),
    ],
)
def searched(request: pytest.FixtureRequest) -> Iterator[tuple[Stack, dict[str, str], list[Said]]]:
    """A TuneDrop with canaries in every setting, after seven runs, and all that it said."""
    option, by_sas = request.param
    keys = Keys(
        SETTINGS["storage account key"], SETTINGS["service key"], SETTINGS["function key"], by_sas
    )
    with running_stack("fast", ROOT, (option,), keys, **ENVIRONMENT) as stack:
        ends = drop_all(stack)
        httpx2.get(
            f"http://127.0.0.1:{stack.port}/api/runs?code={stack.key}", verify=False
        ).raise_for_status()
        yield stack, ends, everything(stack)


def test_runs_ended_as_meant(searched: tuple[Stack, dict[str, str], list[Said]]) -> None:
    """Good, rejected, failed, and through a faulty service."""
    assert searched[1] == OUTCOMES


def test_no_secret_of_a_setting_is_said_or_kept(
    searched: tuple[Stack, dict[str, str], list[Said]],
) -> None:
    """0 finds in logs, blobs, answers, terminal and histories."""
    stack, _, said = searched
    signature = "".join(
        unquote(one) for one in re.findall(r"sig=([^&;]+)", stack.settings.get("DropStorage", ""))
    )
    signed = {
        "signature": signature,
        "signature in an address": quote(signature, safe=""),
        "half quoted": quote(signature),
    }
    assert (
        found(
            {**SETTINGS, "hub of the engine": stack.hub_name, **(signed if signature else {})}, said
        )
        == set()
    )


def test_no_text_of_a_drop_is_said_or_kept(
    searched: tuple[Stack, dict[str, str], list[Said]],
) -> None:
    """0 finds outside the drop."""
    assert found(DATA, searched[2]) == set()


def test_answer_of_the_smoke_test_stands_only_where_it_is_told(
    searched: tuple[Stack, dict[str, str], list[Said]],
) -> None:
    """In the run's record, its report, its HTTP answer and the terminal."""
    where = {place for _, place in found({"told": TOLD}, searched[2])}
    assert where == {
        "tunedrop/runs",
        "reports/report.html",
        "reports/report.json",
        "GET /runs/{id}",
        "tunedrop runs",
    }


def test_row_that_the_smoke_test_asks_stands_only_where_it_is_told(
    searched: tuple[Stack, dict[str, str], list[Said]],
) -> None:
    """Question and answer in the run's record and its report; the model's answer, which is the same
    here, where any answer is told.
    """
    told = {"tunedrop/runs", "reports/report.html", "reports/report.json"}
    finds = found(ROW, searched[2])
    assert {place for name, place in finds if name == "question"} == told
    assert {place for name, place in finds if name == "answer"} == told | {
        "GET /runs/{id}",
        "tunedrop runs",
    }


def test_search_finds_what_is_there(searched: tuple[Stack, dict[str, str], list[Said]]) -> None:
    """The canaries are in the drop and in the settings, in whatever form they were looked for."""
    stack, _, said = searched
    blobs = [
        Said(b.name, stack.training.download_blob(b.name).readall())
        for b in stack.training.list_blobs()
    ]
    assert {name for name, _ in found(DATA, blobs)} == set(DATA)
    encoded = base64.b64encode(b"x" + SETTINGS["service key"].encode() + b"yz")
    assert found(SETTINGS, [Said("here", encoded)]) == {("service key", "here")}
    looked_at = {one.where for one in said}
    assert {
        "host.log",
        "history",
        "history-train",
        "state",
        "tunedrop/runs",
        "tunedrop/scans",
        "reports/events.jsonl",
    } <= looked_at
