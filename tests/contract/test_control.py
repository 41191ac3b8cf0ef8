"""The control surface: what it shows, what it changes, whom it refuses."""

import pytest

from tests.contract.descriptions import Judge
from tests.contract.standin import StandIn, body, job, put, running, state_of, upload
from tunedrop.emulator.arm.routes import ACCOUNT_ID
from tunedrop.emulator.pace import FAST, NAMED

EVERY_ROUTE = pytest.mark.parametrize(
    "path",
    [
        "/_tunedrop/state",
        "/openai/v1/files",
        "/openai/files?api-version=2024-10-21",
        f"{ACCOUNT_ID}?api-version=2024-10-01",
        "/openai/v1/assistants",
        "/elsewhere",
    ],
    ids=["control", "v1", "api-version", "management", "missing", "nowhere"],
)
KEYS = {"authorization": "Bearer x"}


@EVERY_ROUTE
@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "10.0.0.1:{port}",
        "localhost:1",
        "127.0.0.1",
        "",
        "a@localhost:{port}",
    ],
)
def test_foreign_host_is_refused_on_every_route(stand_in: StandIn, path: str, host: str) -> None:
    """A page that rebinds its name to this machine is shown nothing, nor does another port's name
    open anything.
    """
    answer = stand_in.plain.get(
        stand_in.base + path, headers=KEYS | {"host": host.format(port=stand_in.port)}
    )
    assert answer.status_code == 403


@EVERY_ROUTE
@pytest.mark.parametrize(
    "sign",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"sec-fetch-site": "cross-site"},
    ],
    ids=["elsewhere", "sandbox", "other-port", "fetch-metadata"],
)
def test_request_of_another_site_is_refused_on_every_route(
    stand_in: StandIn, path: str, sign: dict[str, str]
) -> None:
    """A page of another origin gets no answer, whatever it knows."""
    assert stand_in.plain.get(stand_in.base + path, headers=KEYS | sign).status_code == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_control_answers_when_host_and_origin_are_its_own(stand_in: StandIn, name: str) -> None:
    """The names of this machine with the stand-in's port are served."""
    own = f"{name}:{stand_in.port}"
    headers = {"host": own, "origin": f"http://{own}", "sec-fetch-site": "same-origin"}
    assert (
        stand_in.plain.get(f"{stand_in.base}/_tunedrop/state", headers=headers).status_code == 200
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain", "origin": "https://evil.example"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
    ids=["by its origin", "by its type alone", "as a form"],
)
def test_post_that_a_page_can_send_unasked_changes_nothing(
    stand_in: StandIn, headers: dict[str, str], status: int
) -> None:
    """Browsers send such bodies to any address without asking it first: the files of the stand-in
    stay.
    """
    upload(stand_in.v1())
    answer = stand_in.plain.post(
        f"{stand_in.base}/_tunedrop/reset", content=b'{"settings": true}', headers=headers
    )
    assert answer.status_code == status
    assert len(stand_in.control("GET", "state")["files"]) == 1


def test_reset_forgets_things_and_keeps_settings(stand_in: StandIn) -> None:
    """Files, jobs, ledger and faults go; pace, limits and switches stay."""
    job(stand_in, stand_in.v1())
    stand_in.control("PUT", "limits", {"jobs_max": 3})
    stand_in.fault("files.list", {"status": 500})
    stand_in.control("POST", "reset")
    state = stand_in.control("GET", "state")
    assert (state["files"], state["jobs"], stand_in.control("GET", "faults")["faults"]) == (
        [],
        [],
        [],
    )
    assert stand_in.control("GET", "ledger")["entries"] == []
    assert stand_in.control("GET", "limits")["jobs_max"] == 3


@pytest.mark.parametrize("name", list(NAMED))
def test_pace_is_set_by_its_name(stand_in: StandIn, name: str) -> None:
    """Every named pace can be set while the stand-in runs, and reads back."""
    assert stand_in.control("PUT", "pace", name) == NAMED[name].to_json()


def test_pace_by_reads_shows_the_last_state_at_the_last_read(judge: Judge) -> None:
    """after_reads(3): the third read sees the end, whatever the clock says."""
    with running(judge, pace=FAST) as stand_in:
        stand_in.control(
            "PUT",
            "pace",
            {"file": "at_once", "job": {"after_reads": 3}, "deployment": {"after_reads": 2}},
        )
        client = stand_in.v1()
        made = client.fine_tuning.jobs.create(model="gpt-4.1", training_file=upload(client).id)
        states = [client.fine_tuning.jobs.retrieve(made.id).status for _ in range(6)]
        assert states[0] in ("pending", "running")
        assert states[-1] == "succeeded"
        put(stand_in, "ours", body("gpt-4.1", version="2025-04-14"))
        assert [state_of(stand_in, "ours") for _ in range(2)] == ["Creating", "Succeeded"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pace", "warp"),
        ("pace", {"job": {"after_reads": 0}}),
        ("pace", {"job": {"after_seconds": 1, "after_reads": 1}}),
        ("pace", {"tea": "at_once"}),
        ("limits", {"jobs": 1}),
        ("limits", {"jobs_max": -1}),
        ("switches", {"mood": "good"}),
        ("switches", {"role_reader": "king"}),
        ("switches", {"rate_limits": 1}),
        ("faults", [{"on": "files.list", "then": "meteor"}]),
        ("faults", [{"on": "files.list", "then": {"status": 500}, "when": "later"}]),
        ("faults", [{"on": "job", "then": {"status": 500}}]),
        ("faults", [{"on": "files.list", "then": {"code": "x"}}]),
        ("faults", [{"on": "files.list", "then": {"status": 500}, "times": 0}]),
        ("faults", [{"then": {"status": 500}}]),
        ("faults", [7]),
    ],
    ids=str,
)
def test_control_is_refused_when_a_setting_is_wrong(
    stand_in: StandIn, path: str, body: object
) -> None:
    """A wrong setting is a 400 that says what is known, and changes nothing."""
    before = stand_in.control("GET", path)
    answer = stand_in.plain.put(f"{stand_in.base}/_tunedrop/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert stand_in.control("GET", path) == before


def test_faults_are_listed_replaced_and_removed(stand_in: StandIn) -> None:
    """PUT replaces, POST adds, DELETE empties; what is used up is gone."""
    one = {"on": "files.list", "then": {"status": 500}}
    stand_in.control("POST", "faults", one)
    assert len(stand_in.control("POST", "faults", {"faults": [one]})["faults"]) == 2
    assert len(stand_in.control("PUT", "faults", [one])["faults"]) == 1
    assert stand_in.control("DELETE", "faults")["faults"] == []


def test_ledger_keeps_no_content_of_files(stand_in: StandIn) -> None:
    """Name, size and purpose of an upload are kept, not its text, nor any key."""
    upload(stand_in.v1())
    (entry,) = stand_in.entries("files.create")
    assert entry["request"] == {
        "purpose": "fine-tune",
        "filename": "training_set.jsonl",
        "bytes": entry["request"]["bytes"],
    }
    assert (entry["api_version"], entry["retry_count"], entry["committed"], entry["status"]) == (
        "v1",
        "0",
        True,
        201,
    )
    assert "stand-in-key" not in str(stand_in.control("GET", "ledger"))
