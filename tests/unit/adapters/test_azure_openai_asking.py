"""Reads, deletes, cancels and chats at the transport: what is gone is gone, what is busy is asked
again.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.services import azure_openai
from shared.services.azure_openai import AzureOpenAI, decoded_results
from shared.settings import settings
from tests.unit.adapters.openai_wire import (
    OLDER,
    SECRET,
    Answering,
    Wire,
    fails,
    file_body,
    job_body,
    raw,
    refused,
    told,
)

QUESTION = [{"role": "user", "content": SECRET}]
NONE_THERE = refused(404, "ResourceNotFound")
RUNNING = told(job_body(status="running"))
NOES = pytest.mark.parametrize(
    "no",
    [refused(400, "invalidOperation"), refused(409, "conflict"), fails(httpx2.ReadTimeout)],
    ids=["400", "409", "timeout"],
)


def chat_body(content: str | None, finish_reason: str = "stop") -> dict[str, object]:
    """A chat completion as the service tells it."""
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content},
    }
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 1,
        "model": "travel",
        "choices": [choice],
    }


@pytest.mark.parametrize("ask", [AzureOpenAI.file, AzureOpenAI.job, AzureOpenAI.delete_file])
def test_what_is_not_there_is_none(ask: Callable[[AzureOpenAI, str], object]) -> None:
    """A 404 is an answer, and to a delete the wished one."""
    assert ask(Wire(NONE_THERE).service(), "an-id") is None


@pytest.mark.parametrize(
    "answering",
    [
        fails(httpx2.ReadTimeout),
        fails(httpx2.ReadError),
        refused(408, "t"),
        refused(409, "c"),
        refused(429, "429"),
        raw(429),
        raw(503),
    ],
    ids=["read-timeout", "reset", "408", "409", "429", "429-without-body", "503"],
)
def test_read_is_unavailable_and_never_of_unknown_outcome_when_the_service_is_in_trouble(
    answering: Answering,
) -> None:
    """A read changes nothing, so it can be asked again."""
    with pytest.raises(ServiceUnavailable) as raised:
        Wire(answering).service().job("ftjob-1")
    assert not isinstance(raised.value, OutcomeUnknown)


def test_read_is_refused_when_the_caller_may_not() -> None:
    """403 on a read is not the same as nothing there."""
    with pytest.raises(ServiceRejected, match="403 PermissionDenied"):
        Wire(refused(403, "PermissionDenied")).service().file("file-1")


@pytest.mark.parametrize(
    "answering",
    [
        NONE_THERE,
        *(told(job_body(status=status)) for status in ("succeeded", "failed", "cancelled")),
    ],
    ids=["none-there", "succeeded", "failed", "cancelled"],
)
def test_cancel_only_looks_when_nothing_is_left_to_cancel(answering: Answering) -> None:
    """A job that has ended, or isn't there, is not touched."""
    wire = Wire(answering)
    wire.service().cancel_job("ftjob-1")
    assert [request.method for request in wire.requests] == ["GET"]


def test_cancel_is_sent_once_when_the_job_runs() -> None:
    """The job is looked at, then cancelled."""
    wire = Wire(RUNNING, told(job_body(status="cancelled")))
    wire.service().cancel_job("ftjob-1")
    assert [(request.method, request.url.path.rpartition("/")[2]) for request in wire.requests] == [
        ("GET", "ftjob-1"),
        ("POST", "cancel"),
    ]


@NOES
@pytest.mark.parametrize(
    "after", [told(job_body(status="succeeded")), NONE_THERE], ids=["ended", "gone"]
)
def test_cancel_is_through_when_the_job_ends_meanwhile(no: Answering, after: Answering) -> None:
    """Whatever the service said to the cancelling, an ended job needs none."""
    wire = Wire(RUNNING, no, after)
    wire.service().cancel_job("ftjob-1")
    assert [request.method for request in wire.requests] == ["GET", "POST", "GET"]


@NOES
def test_cancel_is_to_be_tried_again_when_the_job_still_runs(no: Answering) -> None:
    """A running job costs money, so no refusal is the last word."""
    wire = Wire(RUNNING, no, RUNNING)
    with pytest.raises(ServiceUnavailable):
        wire.service().cancel_job("ftjob-1")
    assert len(wire.requests) == 3


@pytest.mark.parametrize("status", ["queued", "paused", "something new"])
def test_job_goes_on_when_its_status_is_not_one_of_the_end(status: str) -> None:
    """A status that we don't know means that the job still goes."""
    job = Wire(told(job_body(status=status))).service().job("ftjob-1")
    assert job is not None
    assert not job.ended


def test_jobs_of_a_file_are_the_ones_that_train_on_it_oldest_first() -> None:
    """Other people's jobs on the same resource are left out."""
    listed = [
        job_body(id="new", created_at=9),
        job_body(id="other", training_file="file-2"),
        job_body(id="old", created_at=1),
    ]
    service = Wire(told({"object": "list", "data": listed, "has_more": False})).service()
    assert [job.id for job in service.jobs_of_file("file-1")] == ["old", "new"]


@pytest.mark.parametrize("api_version", [None, OLDER], ids=["v1", "api-version"])
def test_files_of_a_name_leave_out_what_cannot_be_used(api_version: str | None) -> None:
    """Deleted files are not there, those in error are; the oldest stands first."""
    listed = [
        file_body(id="new", created_at=9),
        file_body(id="broken", status="error", created_at=4),
        file_body(id="gone", status="deleted"),
        file_body(id="going", status="deleting"),
        file_body(id="other", filename="else.jsonl"),
        file_body(id="old", created_at=1),
    ]
    service = Wire(told({"object": "list", "data": listed, "has_more": False})).service(api_version)
    assert [file.id for file in service.files_named("travel.jsonl")] == ["old", "broken", "new"]


def test_files_are_asked_for_once_on_the_api_version_surface() -> None:
    """That surface lists everything at once, and refuses a second page."""
    wire = Wire(told({"object": "list", "data": [file_body()], "has_more": True}))
    assert wire.service(OLDER).count_files() == 1
    assert len(wire.requests) == 1


def test_chat_answers_the_text() -> None:
    """The deployment's name goes as the model, the messages as they are."""
    wire = Wire(told(chat_body("Lisbon")))
    reply = wire.service().chat("travel", QUESTION, 5)
    assert (reply.text, reply.blocked, reply.model) == ("Lisbon", False, "travel")
    assert (wire.sent()["model"], wire.sent()["messages"]) == ("travel", QUESTION)


@pytest.mark.parametrize(
    "answering",
    [
        refused(404, "DeploymentNotFound"),
        refused(400, "DeploymentNotReady"),
        refused(429, "429"),
        raw(503),
        fails(httpx2.ReadTimeout),
        raw(200, b'{"id"'),
    ],
    ids=["not-found", "not-ready", "429", "503", "read-timeout", "truncated"],
)
def test_chat_is_unavailable_when_the_deployment_does_not_answer_yet(answering: Answering) -> None:
    """A fresh deployment is asked again later, and each time only once."""
    wire = Wire(answering)
    with pytest.raises(ServiceUnavailable) as raised:
        wire.service().chat("travel", QUESTION, 5)
    assert type(raised.value) is ServiceUnavailable
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "answering",
    [
        refused(400, "content_filter"),
        refused(400, "contentFilter"),
        told(chat_body(None, "content_filter")),
    ],
    ids=["prompt", "prompt-older", "answer"],
)
def test_chat_is_blocked_when_the_content_filter_stops_it(answering: Answering) -> None:
    """A filtered question or answer is a result, not a failure."""
    reply = Wire(answering).service().chat("travel", QUESTION, 5)
    assert (reply.text, reply.blocked) == ("", True)


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, "ModelDeprecated"), (400, "invalidPayload"), (401, "PermissionDenied")],
)
def test_chat_is_refused_when_asking_again_would_not_help(status: int, code: str) -> None:
    """A retired model and a wrong call stay what they are, and the question stays out of
    the error.
    """
    with pytest.raises(ServiceRejected, match=f"{status} {code}") as raised:
        Wire(refused(status, code)).service().chat("travel", QUESTION, 5)
    assert SECRET not in str(raised.value)


def test_chat_answers_nothing_when_the_service_gives_no_choice() -> None:
    """An answer without a choice is an empty text."""
    reply = Wire(told(chat_body(None) | {"choices": []})).service().chat("travel", QUESTION, 5)
    assert (reply.text, reply.blocked) == ("", False)


def test_events_hold_numbers_only_in_their_metrics() -> None:
    """Texts in an event's data are left out; the newest stands first, and no more than asked for
    are read.
    """
    listed = [
        {
            "id": f"ev-{n}",
            "object": "e",
            "created_at": n,
            "level": "info",
            "message": "m",
            "data": {"step": n, "note": "x"},
        }
        for n in (2, 1)
    ]
    wire = Wire(told({"object": "list", "data": listed, "has_more": False}))
    assert [(e.id, e.metrics) for e in wire.service().events("ftjob-1", 1)] == [
        ("ev-2", {"step": 2.0})
    ]
    assert wire.requests[0].url.params["limit"] == "1"


@pytest.mark.parametrize(
    "content",
    [b"step,train_loss\n1,0.5\n", b"c3RlcCx0cmFpbl9sb3NzCjEsMC41Cg=="],
    ids=["plain", "base64"],
)
def test_results_are_the_same_in_either_spelling(content: bytes) -> None:
    """The CSV comes plain or in base64."""
    assert decoded_results(content) == b"step,train_loss\n1,0.5\n"


class Redirecting(BaseHTTPRequestHandler):
    """Sends every caller to /elsewhere on itself, and notes who came."""

    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        """Notes the path and the key."""
        self.seen.append(
            (self.path, self.headers.get("authorization") or self.headers.get("api-key"))
        )
        self.send_response(307)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the console."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str | None]]]:
    """What a redirecting service saw; the settings point to it."""
    noted: list[tuple[str, str | None]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Noting", (Redirecting,), {"seen": noted}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("TUNEDROP_OPENAI_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("TUNEDROP_OPENAI_API_KEY", "a-key")
    caches = (settings, azure_openai.connect)
    for cached in caches:
        cached.cache_clear()
    yield noted
    server.shutdown()
    server.server_close()
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize("api_version", [None, OLDER], ids=["v1", "api-version"])
def test_token_does_not_follow_a_redirect(
    seen: list[tuple[str, str | None]], api_version: str | None
) -> None:
    """An answer that sends the caller elsewhere is a refusal, and elsewhere hears nothing."""
    with pytest.raises(ServiceRejected) as raised:
        azure_openai.connect(settings().openai_endpoint, api_version).file("file-1")
    assert raised.value.status == 307
    assert [(path.partition("?")[0].rpartition("/")[2], key) for path, key in seen] == [
        ("file-1", "Bearer a-key" if api_version is None else "a-key")
    ]
