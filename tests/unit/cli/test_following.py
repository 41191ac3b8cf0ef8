"""Following a run to its end, against a fake API and a clock that the test moves."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tunedrop.cli.client import Api, Refused, Unreachable
from tunedrop.cli.following import BEGINS_WITHIN_S, SILENT_S, Pace, code_of, follow, followed
from tunedrop.cli.output import NOT_SUCCEEDED, UNAVAILABLE, Trouble

OTHER_ERROR = {"error": {"code": "TD-HTTP-009", "message": "No.", "fix": "Fix."}}
UNKNOWN = httpx2.Response(
    404, json={"error": {"code": "TD-HTTP-004", "message": "There is no such run.", "fix": "Look."}}
)
DOWN = httpx2.Response(503, text="restarting")
STEPS = ("claimed", "settle", "train", "ended")


class Clock:
    """A clock that moves only when somebody waits, and notes how long."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        """Moves the clock at once."""
        self.now += seconds
        self.waits.append(seconds)

    def pace(self) -> Pace:
        """Looks by this clock."""
        return Pace(lambda: self.now, self.wait)


def a_run(
    steps: int, outcome: str | None = None, because: str | None = None, **job: Any
) -> httpx2.Response:
    """A run that has entered so many steps."""
    timeline = [
        {"step": step, "at": f"2026-11-24T06:00:0{n}Z"} for n, step in enumerate(STEPS[:steps])
    ]
    row = {
        "step": STEPS[steps - 1],
        "percentage": 10,
        "timeline": timeline,
        "outcome": outcome,
        "waits_because": because,
    }
    return httpx2.Response(200, json={**row, "job": job or None})


def an_api(*answers: httpx2.Response) -> Api:
    """An API that gives these answers, and the last one ever after."""
    left: Iterator[httpx2.Response] = iter(answers)
    last = answers[-1]
    return Api(
        "https://app.example/api", "k", httpx2.MockTransport(lambda _request: next(left, last))
    )


def test_each_step_is_told_once_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps come in their order, however many looks it takes; stdout stays free for the result."""
    run = follow(
        an_api(UNKNOWN, a_run(1), a_run(1), a_run(3), a_run(4, "failed")),
        "r-1",
        pace=Clock().pace(),
    )
    said = capsys.readouterr()
    assert (run["outcome"], said.out) == ("failed", "")
    assert [line.split()[-1] for line in said.err.splitlines()] == list(STEPS)


def test_what_a_run_waits_for_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A run in the gate says why it doesn't go on."""
    why = "The limit of runs at the same time is reached: 4."
    follow(
        an_api(a_run(2, because=why), a_run(2, because=why), a_run(4, "failed")),
        "r-1",
        pace=Clock().pace(),
    )
    assert capsys.readouterr().err.count(why) == 1


def test_event_of_the_job_is_told_once_with_its_losses(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of the service are shown, not obeyed."""
    event: dict[str, Any] = {
        "last_event": "Step 10\x1b[2J",
        "train_loss": 2.34567,
        "valid_loss": None,
    }
    follow(
        an_api(a_run(3, **event), a_run(3, **event), a_run(4, "succeeded", **event)),
        "r-1",
        pace=Clock().pace(),
    )
    assert capsys.readouterr().err.count("Step 10⟦U+001B⟧[2J  (losses: training 2.346)") == 1


@pytest.mark.parametrize(
    ("job", "told"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"train_loss": 0}, "(losses: training 0)", id="a loss of 0"),
        pytest.param(
            {"train_loss": 1.5, "valid_loss": 2.25},
            "(losses: training 1.5, validation 2.25)",
            id="both",
        ),
        pytest.param(
            {"train_loss": None, "valid_loss": 0.5},
            "(losses: validation 0.5)",
            id="validation only",
        ),
        pytest.param(
            {
                "last_event": "Step 10: training loss=1.0537992715835571",
                "train_loss": 1.0537992715835571,
            },
            "Step 10: training loss=1.054",
            id="told by the event already",
        ),
        pytest.param(
            {
                "last_event": "Step 10: training loss=0.000123456789",
                "train_loss": 0.000123456789,
                "valid_loss": 12.3456789,
            },
            "Step 10: training loss=0.0001235  (losses: validation 12.35)",
            id="the other one",
        ),
        pytest.param(
            {"last_event": "Job file-1.234567-x started at 2026.11"},
            "Job file-1.234567-x started at 2026.11",
            id="no loss",
        ),
    ],
)
def test_loss_is_told_once_with_four_digits(
    job: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service tells fifteen; what the event says is not repeated, and what is absent is left
    out.
    """
    later = {**job, "last_event": "Job succeeded."}
    follow(
        an_api(a_run(3, **job), a_run(3, **job), a_run(4, "succeeded", **later)),
        "r-1",
        pace=Clock().pace(),
    )
    asides = [
        line.strip()
        for line in capsys.readouterr().err.splitlines()
        if line.startswith("            ")
    ]
    assert asides == [*([told] if told else []), "Job succeeded."]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("succeeded", 0), ("duplicate", 0), ("cancelled", 1), ("rejected", 1), ("failed", 1)],
)
def test_exit_code_says_whether_the_wanted_model_is_there(outcome: str, code: int) -> None:
    """To drop the same thing again is no failure; every other end than success is one."""
    assert code_of({"outcome": outcome}) == code


def test_interrupt_ends_the_following_and_not_the_run() -> None:
    """Exit code 1, and how to look at the run."""

    def interrupted(_request: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    with pytest.raises(Trouble, match="the run goes on") as ended:
        followed(Api("https://app.example/api", "k", httpx2.MockTransport(interrupted)), "r-1")
    assert ended.value.code == NOT_SUCCEEDED


def test_run_that_never_begins_ends_the_wait() -> None:
    """After two minutes, exit code 3 and a hint at the usual cause."""
    clock = Clock()
    with pytest.raises(Trouble) as ended:
        follow(an_api(UNKNOWN), "r-1", pace=clock.pace())
    assert str(ended.value) == (
        "No run r-1 began within 120 s. Does the app behind the API listen to this account and "
        "container?"
    )
    assert (ended.value.code, sum(clock.waits) - BEGINS_WITHIN_S <= 5) == (UNAVAILABLE, True)


def test_short_silence_of_the_api_is_waited_out() -> None:
    """A host that starts anew does not end the following."""
    assert (
        follow(an_api(a_run(1), *[DOWN] * 50, a_run(4, "succeeded")), "r-1", pace=Clock().pace())[
            "outcome"
        ]
        == "succeeded"
    )


def test_long_silence_of_the_api_ends_the_following() -> None:
    """After a minute without an answer."""
    clock = Clock()
    with pytest.raises(Unreachable):
        follow(an_api(a_run(1), DOWN), "r-1", pace=clock.pace())
    assert SILENT_S < sum(clock.waits) < SILENT_S + 5


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        pytest.param(DOWN, Unreachable, id="not there"),
        pytest.param(httpx2.Response(401), Unreachable, id="the key is refused"),
        pytest.param(httpx2.Response(400, json=OTHER_ERROR), Refused, id="refused"),
    ],
)
def test_first_answer_that_is_an_error_ends_the_following_at_once(
    first: httpx2.Response, kind: type[Trouble]
) -> None:
    """A wrong address or key does not get better by waiting."""
    clock = Clock()
    with pytest.raises(kind):
        follow(an_api(first), "r-1", pace=clock.pace())
    assert clock.waits == []


def test_looks_become_rare_when_a_run_takes_long() -> None:
    """Twice a second for two minutes, then every five seconds."""
    clock = Clock()
    follow(an_api(*[a_run(3)] * 250, a_run(4, "succeeded")), "r-1", pace=clock.pace())
    assert (clock.waits[0], clock.waits[239], clock.waits[-1]) == (0.5, 0.5, 5.0)


def test_check_ends_the_wait_where_it_is_in_vain() -> None:
    """What `check` raises comes through."""

    def check() -> None:
        message = "the stack has ended"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the stack has ended"):
        follow(an_api(a_run(1)), "r-1", check, Clock().pace())
