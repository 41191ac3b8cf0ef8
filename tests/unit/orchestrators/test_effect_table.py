"""The table of effects: what reads it follows one new row."""

import json
from typing import get_args

import pytest

from orchestrators.names import Activity
from shared.models import effect_kinds
from shared.models.effect_kinds import EFFECTS, FILE, EffectKind, kind_of, label_of, to_take_back
from shared.models.plan import Role
from shared.models.record import Effect, Outcome
from shared.report.reporting import clean_up_of
from tests.builders import NOW, a_record, done_with
from tests.faults import matrix, points
from tests.unit.orchestrators.theatre import Theatre, a_play

ROLES = get_args(Role)
FAKE = EffectKind(
    "promotion",
    "live name",
    Activity.FILE_STATUS,  # any activity that no ending calls
    "given back",
    after_success="stays",
    costs=False,
)


@pytest.fixture
def promoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more row, at the head of the table."""
    monkeypatch.setattr(effect_kinds, "EFFECTS", (FAKE, *EFFECTS))


def undone_in(theatre: Theatre, outcome: Outcome) -> list[str]:
    """What the ending of a run calls that ends so."""
    play = a_play(
        smoke_test=done_with(),
        begin_ending=done_with(
            outcome=outcome.value,
            roles=list(ROLES),
            take_back=[
                one.model_dump(mode="json") for one in effect_kinds.to_take_back(outcome, ROLES)
            ],
        ),
    )
    theatre.play(play)
    return play.called[play.called.index("collect_results") + 1 : play.called.index("write_report")]


@pytest.mark.usefixtures("promoted")
def test_effect_is_one_row_for_the_end_of_a_run(theatre: Theatre) -> None:
    """The ending lists it in the table's order, and the story takes it back first; a success keeps
    it.
    """
    assert undone_in(theatre, Outcome.FAILED) == [
        "file_status",
        "delete_deployment",
        "cancel_job",
        "delete_file:validation",
        "delete_file:training",
    ]
    assert "file_status" not in undone_in(theatre, Outcome.SUCCEEDED)


@pytest.mark.usefixtures("promoted")
@pytest.mark.parametrize(
    ("state", "result"), [("removed", "given back"), ("made", "NOT removed: remove it by hand")]
)
def test_effect_is_one_row_for_the_report(state: str, result: str) -> None:
    """Its label and what was done about it are the row's."""
    effect = Effect.model_validate({"state": state, "holder": "h", "at": NOW, "id": "desk"})
    [row] = clean_up_of(a_record(outcome=Outcome.FAILED, effects={"promotion": effect}))
    assert (row.what, row.id, row.result) == ("live name", "desk", result)


@pytest.mark.usefixtures("promoted")
def test_effect_is_one_row_for_the_kill_matrix() -> None:
    """Its points are names of the table, and the story that passes them is the one that the row
    tells.
    """
    assert "promotion" in points.effects()
    assert matrix.Cell("remove promotion: before the call", "kill").scenario == "bad"
    assert matrix.Cell("sleep after file_status", "kill").scenario == "bad"
    assert points.part_of("file_status") == "run"


def test_report_tells_an_effect_that_this_release_does_not_know() -> None:
    """A record that a later release wrote is told by the effect's own name."""
    effect = Effect(state="removed", holder="h", at=NOW, id="desk")
    [row] = clean_up_of(a_record(outcome=Outcome.FAILED, effects={"alias:blue": effect}))
    assert (row.what, row.result) == ("blue alias", "taken back")


def test_every_kind_is_taken_back_by_an_activity_and_counted_by_the_matrix() -> None:
    """No row without its compensation, and none that the faults don't look after."""
    assert {kind.taken_back_by for kind in EFFECTS} <= set(Activity)
    assert matrix.LEFT.keys() == {kind.kind for kind in EFFECTS}


def test_every_effect_has_a_name_and_a_label_of_its_own() -> None:
    """The names are those that records hold."""
    names = [name for kind in EFFECTS for name in kind.names(ROLES)]
    assert [(name, label_of(name)) for name in names] == [
        ("deployment", "deployment"),
        ("job", "fine-tuning job"),
        ("file:training", "training file"),
        ("file:validation", "validation file"),
    ]
    assert kind_of("file:training") is FILE


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("outcome", Outcome)
def test_ending_that_holds_no_list_is_walked_as_in_its_time(
    theatre: Theatre, outcome: Outcome, version: int
) -> None:
    """A story that an earlier release began goes on with what that release took back, whatever the
    table says today.
    """
    play = a_play(begin_ending=done_with(outcome=outcome.value, roles=["training", "validation"]))
    assert (
        json.loads(theatre.play(play, version=version).serialized_output or "")["outcome"]
        == outcome
    )
    called = play.called[play.called.index("collect_results") + 1 : -2]
    listed = [one.activity for one in to_take_back(outcome, ())]
    own = [one for one in listed if version > 1 or outcome is not Outcome.SUCCEEDED]
    assert called == [*own, "delete_file:validation", "delete_file:training"]
