"""Hostile drops through a whole TuneDrop: each ends by name, with a report in which nothing lives,
and nobody is called.
"""

import json
import re
import socket
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from azure.storage.blob import BlobServiceClient

from tests.data import a_training_set
from tests.patience import NOW_AND_THEN_S, until
from tests.runs.stack import Stack

pytestmark = pytest.mark.timeout(150)
NAMES = {
    "capitals and spaces": "Not A Name.jsonl",
    "script": "<script>alert(1)<b>.jsonl",
    "event handler": "x onerror=alert(1) \"'>.jsonl",
    "formula": "=1+1.jsonl",
    "right-to-left override": "\u202egnp.jsonl",
    "emoji": "\U0001f4a3.jsonl",
    "encoded parent": "%2e%2e%2fx.jsonl",
    "template": "{{7*7}}.jsonl",
    "deep folder": "a/b/c/training_set.jsonl",
    "a thousand characters": "a" * 900 + ".jsonl",
    "reference of the engine": "blob:v1:x:y.jsonl",
    "ending in capitals": "travel.JSONL",
}
LIVE = {
    "script",
    "a",
    "img",
    "link",
    "iframe",
    "object",
    "embed",
    "form",
    "base",
    "video",
    "audio",
    "image",
    "use",
    "foreignobject",
}


class Page(HTMLParser):
    """What in a page is live: tags and attributes that run or fetch something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.live: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in LIVE or any(
            name.startswith("on") or name in {"src", "href", "srcset", "action"} for name in names
        ):
            self.live.append(tag)


def page_of(stack: Stack, report: str) -> str:
    """The report.html of a run."""
    container, _, path = report.partition("/")
    return (
        BlobServiceClient.from_connection_string(stack.storage)
        .get_blob_client(container, path)
        .download_blob()
        .readall()
        .decode()
    )


@pytest.fixture(scope="module")
def rejected(the_stack: Stack) -> dict[str, str]:
    """The page of each hostile name, by the blob's name as the report has it."""
    known = {row["id"] for row in the_stack.runs()}
    for blob in NAMES.values():
        the_stack.training.upload_blob(blob, a_training_set("x"), overwrite=True)

    def ended() -> list[str] | None:
        rows = [
            row
            for row in the_stack.runs("invalid-name")
            if row["id"] not in known and row["outcome"]
        ]
        return [row["id"] for row in rows] if len(rows) == len(NAMES) else None

    runs = [the_stack.run(run_id) for run_id in until(ended, 90, "the rejections", NOW_AND_THEN_S)]
    assert {run["problem"]["code"] for run in runs} == {"TD-DROP-001"}
    return {
        the_stack.report(run)["drop"]["blobs"][0]["name"]: page_of(the_stack, run["report"])
        for run in runs
    }


@pytest.mark.parametrize("blob", [pytest.param(blob, id=name) for name, blob in NAMES.items()])
def test_hostile_name_is_rejected_with_a_report_in_which_nothing_lives(
    rejected: dict[str, str], blob: str
) -> None:
    """One report a name; the page has no tag that runs or fetches."""
    page = rejected[blob]
    assert Page(page).live == []
    assert "Content-Security-Policy" in page


def test_reports_stand_under_plain_paths_only(rejected: dict[str, str], the_stack: Stack) -> None:
    """No name of a drop is part of a path."""
    names = (
        BlobServiceClient.from_connection_string(the_stack.storage)
        .get_container_client("reports")
        .list_blob_names()
    )
    assert len(rejected) == len(NAMES)
    assert [
        name for name in names if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+/[a-z]+\.[a-z]+", name)
    ] == []


@pytest.fixture
def beacon() -> Iterator[socket.socket]:
    """A port that notes who calls it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        yield listener


def test_no_address_in_a_drop_is_ever_called(
    stack: Stack, name: str, beacon: socket.socket
) -> None:
    """Images, webhooks, links in texts and in job.json: the port that they name hears nothing."""
    address = f"http://127.0.0.1:{beacon.getsockname()[1]}/beacon.png"
    seen = {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": address}},
        ],
    }
    said = {"role": "assistant", "content": f"![it]({address}) {address}"}
    lines = b"".join(json.dumps({"messages": [seen, said]}).encode() + b"\n" for _ in range(12))
    stack.drop(name, lines, lines, {"model": "gpt-4o-2024-08-06"})
    stack.drop(f"{name}-notify", a_training_set(name), job={"notify": {"url": address}})
    ends = [stack.ended(one, 90)["outcome"] for one in (name, f"{name}-notify")]
    assert ends[1] == "rejected"
    with pytest.raises(BlockingIOError):
        beacon.accept()


def test_uploader_gets_the_owners_limits_and_the_report_says_so(stack: Stack, name: str) -> None:
    """A budget and a capacity beyond the app's are lowered, and the run goes on."""
    stack.drop(
        name,
        a_training_set(name),
        job={"budget": {"usd": 10**9}, "deployment": {"capacity": 10**9}},
    )
    run = stack.ended(name)
    told = stack.report(run)["clamped"]
    assert run["outcome"] == "succeeded"
    assert [note.split()[0] for note in told] == ["deployment.capacity", "budget.usd"]
    assert all(note in page_of(stack, run["report"]) for note in told)


def test_deployment_of_another_run_is_not_taken_over(stack: Stack, name: str) -> None:
    """A drop that names it is rejected by name, and the deployment stands as it did."""
    # One like a run's id is refused before the gate.
    stack.drop(name, a_training_set(name), job={"deployment": {"name": f"{name}-live"}})
    standing = stack.ended(name)["deployment"]
    before = [one for one in stack.control("GET", "state")["deployments"] if standing in str(one)]
    stack.drop(
        f"{name}-thief", a_training_set(f"{name}-thief"), job={"deployment": {"name": standing}}
    )
    run = stack.ended(f"{name}-thief")
    assert (run["outcome"], run["problem"]["code"]) == ("rejected", "TD-GATE-005")
    assert (
        [one for one in stack.control("GET", "state")["deployments"] if standing in str(one)]
        == before
        != []
    )
