"""Intent, look, act once, record: by what the service was asked to make."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.models.messages import RunStep
from shared.models.pace import Pace
from shared.models.record import Effect, Ending, Outcome, RunRecord, Step
from shared.runs.answering import LATE_LOOKS
from shared.runs.effects import Making, Removing
from shared.runs.ledger import Ledger
from shared.services.storage import Changed
from tests.builders import AT_ONCE, a_record
from tests.patience import patience

CALL_S = 30.0
PATIENT = Pace(call_s=3600, list_lag_s=3600, brief_s=1)


class Service:
    """A service that makes things, and may fail to say so."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.visible = True
        self.fails: Exception | None = None
        self.fails_after = False

    def look(self) -> str | None:
        """The first thing, where the listing shows it."""
        return self.made[0] if self.made and self.visible else None

    def listed(self) -> list[str]:
        """All things that the listing shows."""
        return list(self.made) if self.visible else []

    def act(self, _within_s: float = 0) -> str:
        """Makes a thing; fails before or after it."""
        if self.fails and not self.fails_after:
            raise self.fails
        self.made.append(f"thing-{len(self.made) + 1}")
        if self.fails:
            raise self.fails
        return self.made[-1]

    def remove(self, thing: str) -> None:
        """Removes it; what isn't there is removed."""
        self.made = [made for made in self.made if made != thing]

    def making(self, ledger: Ledger, run: str, pace: Pace = AT_ONCE) -> Making:
        """One execution that makes it."""
        return Making(ledger, asked(run, pace), "job", self.look, self.act, CALL_S)

    def removing(
        self, ledger: Ledger, run: str, pace: Pace = AT_ONCE, *, keeps: bool = False
    ) -> Removing:
        """One execution that takes it back."""
        return Removing(
            ledger, asked(run, pace), "job", self.listed, self.remove, CALL_S, keeps=keeps
        )


def asked(run: str, pace: Pace = AT_ONCE) -> RunStep:
    """What the activity was given."""
    return RunStep(run_id=run, pace=pace)


@pytest.fixture
def service() -> Service:
    """A service without anything in it."""
    return Service()


@pytest.fixture
def run(ledger: Ledger) -> str:
    """A claimed run."""
    record = a_record()
    ledger.claim(record)
    return record.id


def intended(ledger: Ledger, run: str, age_s: float, state: str = "intended") -> None:
    """An execution that wrote this state so long ago and died."""

    def change(record: RunRecord, _now: datetime) -> RunRecord:
        effect = Effect.model_validate(
            {"state": state, "holder": "dead", "at": datetime.now(UTC) - timedelta(seconds=age_s)}
        )
        return record.model_copy(update={"effects": {"job": effect}})

    ledger.change(run, change)


def test_thing_is_made_once_when_executed_twice(ledger: Ledger, run: str, service: Service) -> None:
    """The second execution answers the first one's thing."""
    first = service.making(ledger, run).once()
    assert service.making(ledger, run).once() == first
    assert service.made == ["thing-1"]


def test_thing_is_made_once_when_executed_ten_times_at_once(
    ledger: Ledger, run: str, service: Service
) -> None:
    """Of ten executions at the same moment one acts; the others wait or adopt."""
    together = Barrier(10)

    def execute(_: int) -> str:
        together.wait(patience(10))
        return service.making(ledger, run, PATIENT).once().kind

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(execute, range(10))) <= {"done", "wait"}
    assert service.made == ["thing-1"]


def test_thing_is_adopted_when_the_first_execution_died_after_making_it(
    ledger: Ledger, run: str, service: Service
) -> None:
    """What the dead execution made is found and recorded."""
    service.act()
    intended(ledger, run, age_s=60)
    assert service.making(ledger, run).once().value == {"id": "thing-1"}
    assert service.made == ["thing-1"]


def test_thing_is_made_when_the_first_execution_died_before_making_it(
    ledger: Ledger, run: str, service: Service
) -> None:
    """After the time that a call and a listing may take, the next one acts."""
    intended(ledger, run, age_s=60)
    assert service.making(ledger, run).once().kind == "done"
    assert service.made == ["thing-1"]


def test_execution_waits_while_another_may_be_calling(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A young intent of somebody else's is left alone."""
    intended(ledger, run, age_s=1)
    assert service.making(ledger, run, PATIENT).once().kind == "wait"
    assert service.made == []


def test_unknown_outcome_is_looked_up_and_not_repeated(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A call that made the thing and lost its answer is not sent again while the listing
    may lag.
    """
    service.fails, service.fails_after, service.visible = (
        OutcomeUnknown("S", "timeout"),
        True,
        False,
    )
    pace = PATIENT.model_copy(update={"call_s": 0.0})
    assert [service.making(ledger, run, pace).once().kind for _ in range(3)] == ["wait"] * 3
    service.fails, service.visible = None, True
    assert service.making(ledger, run, pace).once().value == {"id": "thing-1"}
    assert service.made == ["thing-1"]


def test_unknown_outcome_without_a_thing_is_repeated_once_the_listing_can_lag_no_more(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A call that never arrived is sent again in the end."""
    service.fails = OutcomeUnknown("S", "timeout")
    service.making(ledger, run).once()
    service.fails = None
    assert service.making(ledger, run).once().value == {"id": "thing-1"}


def test_busy_service_is_asked_again_after_the_time_it_names(
    ledger: Ledger, run: str, service: Service
) -> None:
    """Retry-After is honoured, and nothing stays intended."""
    service.fails = ServiceUnavailable("S", "429", retry_after_s=7)
    assert service.making(ledger, run).once().wait_s == 7
    assert ledger.get(run).record.effects == {}


def test_call_gets_the_time_that_its_intent_has_left(
    ledger: Ledger, run: str, service: Service
) -> None:
    """Whoever finds the intent counts from when it was written, so the call may not begin its time
    anew.
    """
    given: list[float] = []

    def act(within_s: float) -> str:
        given.append(within_s)
        return service.act()

    Making(ledger, asked(run), "job", service.look, act, CALL_S).once()
    assert [CALL_S / 2 < within_s < CALL_S for within_s in given] == [True]


def test_nothing_is_made_on_an_intent_that_is_old_already(
    ledger: Ledger, run: str, service: Service
) -> None:
    """Where the storage took its time to write the intent, the next execution would take it for a
    dead one's.
    """
    assert (
        Making(ledger, asked(run), "job", service.look, service.act, takes_s=0).once().kind
        == "wait"
    )
    assert service.made == []
    assert ledger.get(run).record.effects == {}


def test_nothing_is_intended_while_nobody_can_look(ledger: Ledger, run: str) -> None:
    """The look comes before the intent, however long it takes."""

    def look() -> str | None:
        raise ServiceUnavailable("S", "503", retry_after_s=9)

    def act(_within_s: float) -> str:
        raise AssertionError

    assert Making(ledger, asked(run), "job", look, act, CALL_S).once().wait_s == 9
    assert ledger.get(run).record.effects == {}


def test_refusal_ends_the_story_and_leaves_no_intent(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A no is a value with Azure's code."""
    service.fails = ServiceRejected("S", 400, "invalidPayload", "no")
    answer = service.making(ledger, run).once()
    assert answer.kind == "ended"
    assert answer.problem is not None
    assert "invalidPayload" in answer.problem.message
    assert ledger.get(run).record.effects == {}


@pytest.mark.parametrize("stop", ["cancel", "ending"])
def test_nothing_is_made_for_a_run_that_stops(
    ledger: Ledger, run: str, service: Service, stop: str
) -> None:
    """A straggling execution after a cancel, or after the ending was decided, makes nothing."""
    changes = (
        {"cancel_requested_at": datetime.now(UTC)}
        if stop == "cancel"
        else {"ending": Ending(outcome=Outcome.FAILED)}
    )
    ledger.change(run, lambda record, _: record.model_copy(update=changes))
    assert service.making(ledger, run).once().kind == "cancelled"
    assert service.made == []


def test_thing_made_while_the_run_was_cancelled_is_recorded(
    ledger: Ledger, run: str, service: Service
) -> None:
    """The end of a run must know what there is to take back."""

    def act(_within_s: float) -> str:
        ledger.change(
            run, lambda record, now: record.model_copy(update={"cancel_requested_at": now})
        )
        return service.act()

    Making(ledger, asked(run), "job", service.look, act, CALL_S).once()
    assert ledger.get(run).record.made("job") == "thing-1"


def test_removal_finds_a_thing_whose_making_nobody_confirmed(
    ledger: Ledger, run: str, service: Service
) -> None:
    """An unknown outcome is looked up and taken back."""
    service.act()
    intended(ledger, run, age_s=1, state="unknown")
    assert service.removing(ledger, run).once().kind == "done"
    assert service.made == []
    assert ledger.get(run).record.effects["job"].state == "removed"


def test_removal_waits_while_an_unconfirmed_thing_may_still_appear(
    ledger: Ledger, run: str, service: Service
) -> None:
    """Nothing found yet is not the same as nothing there."""
    intended(ledger, run, age_s=1, state="unknown")
    assert service.removing(ledger, run, PATIENT).once().kind == "wait"


def test_removal_twice_changes_nothing(ledger: Ledger, run: str, service: Service) -> None:
    """The second removal is done already."""
    service.making(ledger, run).once()
    first = service.removing(ledger, run).once()
    assert service.removing(ledger, run).once() == first


def test_removed_thing_is_not_made_again(ledger: Ledger, run: str, service: Service) -> None:
    """An execution that comes after the compensation makes nothing."""
    service.making(ledger, run).once()
    ledger.change(
        run, lambda record, _: record.model_copy(update={"ending": Ending(outcome=Outcome.FAILED)})
    )
    service.removing(ledger, run).once()
    assert service.making(ledger, run).once().kind == "cancelled"
    assert service.made == []


def test_removal_waits_while_the_service_refuses_and_gives_up_in_the_end(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A deployment under another write can't be deleted now: it is tried for as long as the pace
    says, then left to the report.
    """

    def refuse(_thing: str) -> None:
        raise ServiceUnavailable("S", "409 RequestConflict")

    service.making(ledger, run).once()
    ledger.enter(run, Step.CLEAN_UP)
    assert (
        Removing(ledger, asked(run, PATIENT), "job", service.listed, refuse, CALL_S).once().kind
        == "wait"
    )
    impatient = PATIENT.model_copy(update={"take_back_s": -1.0})
    answers = [
        Removing(ledger, asked(run, impatient), "job", service.listed, refuse, CALL_S).once()
        for _ in range(LATE_LOOKS)
    ]
    assert [answer.kind for answer in answers] == ["wait"] * (LATE_LOOKS - 1) + ["ended"]
    given_up = answers[-1]
    assert given_up.problem is not None
    assert "409 RequestConflict" in given_up.problem.message


@pytest.mark.parametrize(("status", "kind"), [(401, "wait"), (403, "wait"), (400, None)])
def test_removal_waits_for_a_role_that_is_gone_for_a_while(
    ledger: Ledger, run: str, service: Service, status: int, kind: str | None
) -> None:
    """A job or a deployment is not left behind for the minutes that a role needs to come back; any
    other refusal stands.
    """

    def refuse(_thing: str) -> None:
        raise ServiceRejected("S", status, "Forbidden", "no role")

    service.making(ledger, run).once()
    ledger.enter(run, Step.CLEAN_UP)
    if kind is None:
        with pytest.raises(ServiceRejected):
            Removing(ledger, asked(run, PATIENT), "job", service.listed, refuse, CALL_S).once()
    else:
        assert (
            Removing(ledger, asked(run, PATIENT), "job", service.listed, refuse, CALL_S).once().kind
            == kind
        )


@pytest.mark.parametrize("state", ["intended", "unknown"])
def test_second_execution_at_another_pace_waits_as_long_as_the_first_ones_intent_says(
    ledger: Ledger, run: str, service: Service, state: str
) -> None:
    """Two executions of one run with different pace: an intent carries until when it holds, and
    nothing that is read later shortens it.
    """
    service.visible = False  # the first one's thing is on its way, and no listing shows it yet

    def act(_within_s: float) -> str:
        quick = Making(ledger, asked(run), "job", service.look, service.act, takes_s=0.0)
        if state == "intended":
            assert quick.once().kind == "wait"
        service.act()
        raise OutcomeUnknown("S", "timeout")

    assert (
        Making(ledger, asked(run, PATIENT), "job", service.look, act, CALL_S).once().kind == "wait"
    )
    assert (
        Making(ledger, asked(run), "job", service.look, service.act, CALL_S).once().kind == "wait"
    )
    assert service.made == ["thing-1"]


def test_intent_of_the_first_releases_goes_by_the_pace(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A record that doesn't say until when is as good as it was."""
    intended(ledger, run, age_s=60)
    assert ledger.get(run).record.effects["job"].until is None
    assert (
        Making(ledger, asked(run, PATIENT), "job", service.look, service.act, CALL_S).once().kind
        == "wait"
    )
    assert service.making(ledger, run).once().kind == "done"


def held_up(ledger: Ledger, run: str, service: Service, pace: Pace = AT_ONCE) -> None:
    """An execution stands still in the middle of its call until another one has made the thing;
    then its own call is heard, too.
    """

    def act(_within_s: float) -> str:
        # So long that the next execution takes it for a dead one's.
        intended(ledger, run, age_s=10_000)
        assert Making(
            ledger, asked(run, pace), "job", lambda: None, service.act, CALL_S
        ).once().value == {"id": "thing-1"}
        return service.act()

    assert Making(ledger, asked(run, pace), "job", lambda: None, act, CALL_S).once().value == {
        "id": "thing-1"
    }
    assert service.made == ["thing-1", "thing-2"]


def after_the_doubt(ledger: Ledger, run: str) -> None:
    """As if the time in which a second thing may appear were over."""

    def change(record: RunRecord, now: datetime) -> RunRecord:
        over = record.effects["job"].model_copy(update={"until": now - timedelta(seconds=1)})
        return record.model_copy(update={"effects": {"job": over}})

    ledger.change(run, change)


def test_end_removes_also_what_an_execution_that_was_held_up_made(
    ledger: Ledger, run: str, service: Service
) -> None:
    """By the run's mark, not by the recorded id alone; the record names it for the report."""
    held_up(ledger, run, service)
    after_the_doubt(ledger, run)
    assert service.removing(ledger, run).once().value == {"id": "thing-1"}
    effect = ledger.get(run).record.effects["job"]
    assert (service.made, effect.state, effect.others) == ([], "removed", ("thing-2",))


def test_end_waits_for_what_an_execution_that_was_held_up_may_still_make(
    ledger: Ledger, run: str, service: Service
) -> None:
    """Where an earlier intent was taken over, a second thing may appear for as long as a call and a
    listing may take.
    """
    held_up(ledger, run, service, PATIENT.model_copy(update={"list_lag_s": 5_000.0}))
    assert service.removing(ledger, run).once().kind == "wait"
    assert (service.made, ledger.get(run).record.effects["job"].state) == ([], "made")


def test_removal_is_repeated_for_what_appears_after_it(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A second execution of the compensation looks again, also where the record says that all is
    gone.
    """
    service.making(ledger, run).once()
    service.removing(ledger, run).once()
    service.made.append("thing-9")
    service.removing(ledger, run).once()
    assert (service.made, ledger.get(run).record.effects["job"].others) == ([], ("thing-9",))


def test_end_of_a_success_removes_all_but_the_recorded_thing(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A second job still costs; the first one's model is the run's."""
    held_up(ledger, run, service)
    after_the_doubt(ledger, run)
    assert service.removing(ledger, run, keeps=True).once().kind == "done"
    effect = ledger.get(run).record.effects["job"]
    assert (service.made, effect.state, effect.id, effect.others) == (
        ["thing-1"],
        "made",
        "thing-1",
        ("thing-2",),
    )


def test_known_thing_is_removed_while_no_listing_can_be_read(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A job that still costs is cancelled first, and looked for afterwards."""

    def listed() -> list[str]:
        raise ServiceUnavailable("S", "503")

    service.making(ledger, run).once()
    assert Removing(ledger, asked(run), "job", listed, service.remove, CALL_S).once().kind == "wait"
    assert service.made == []


def test_what_is_somebody_elses_by_now_is_told_as_left_alone(
    ledger: Ledger, run: str, service: Service
) -> None:
    """No report says "deleted" of what was not deleted."""
    service.making(ledger, run).once()
    Removing(ledger, asked(run), "job", list, lambda _thing: False, CALL_S).once()
    effect = ledger.get(run).record.effects["job"]
    assert (effect.state, effect.lost) == ("removed", True)


def test_upload_whose_file_vanished_leaves_nothing_to_wait_for(
    ledger: Ledger, run: str, service: Service
) -> None:
    """A body that broke off makes no thing: the end of the run doesn't wait out an upload and a
    listing, 1,050 s on Azure.
    """
    service.fails = Changed()
    with pytest.raises(Changed):
        service.making(ledger, run, PATIENT).once()
    assert ledger.get(run).record.effects == {}
