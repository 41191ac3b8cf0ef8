"""Drops without a run are found, and what was looked at once is not looked up again."""

import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.storage.blob import BlobServiceClient

from shared.runs.ledger import Ledger
from shared.runs.recent_drops import RecentDrops, Wanted
from shared.services.storage import Container
from tests.builders import a_record


@pytest.fixture
def training(azurite: str) -> Iterator[Container]:
    """An empty container of drops."""
    with BlobServiceClient.from_connection_string(azurite) as service:
        made = Container(service.get_container_client(f"t{secrets.token_hex(6)}"))
        made.create()
        yield made


def a_look(
    training: Container, container: Container, patience_min: int = 0, most: int = 5000
) -> RecentDrops:
    """A look at drops of any age, or of so many minutes at least."""
    wanted = Wanted(timedelta(minutes=patience_min), timedelta(days=7), most)
    return RecentDrops(training, container, wanted)


def found(look: RecentDrops) -> set[str]:
    """The names of the drops that a look has found; it is noted."""
    names = {drop.name for drop in look.unheard()}
    look.noted()
    return names


def test_drop_is_found_until_it_has_a_run(
    training: Container, container: Container, ledger: Ledger
) -> None:
    """What else lies there is left alone."""
    for name in ("one.jsonl", "two/training_set.jsonl", "readme.txt"):
        training.put(name, b"x")
    assert found(a_look(training, container)) == {"one", "two"}
    for drop in a_look(training, container).unheard():
        ledger.claim(a_record().model_copy(update={"id": drop.run_id, "drop": drop}))
    assert found(a_look(training, container)) == set()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_looks_in_parts_find_every_drop(
    training: Container, container: Container, most: int
) -> None:
    """Each goes on where the one before has stopped."""
    for number in range(5):
        training.put(f"run{number}.jsonl", b"x")
    looks = [found(a_look(training, container, most=most)) for _ in range(5)]
    assert set().union(*looks) == {f"run{number}" for number in range(5)}
    assert all(len(look) <= most for look in looks)


def test_young_drop_is_left_to_its_event(training: Container, container: Container) -> None:
    """It is found once its patience is over: the look that was too early has not ticked it off."""
    training.put("young.jsonl", b"x")
    assert found(a_look(training, container, patience_min=5)) == set()
    assert found(a_look(training, container)) == {"young"}


@pytest.mark.parametrize("most", [1, 5000])
def test_container_that_the_app_was_moved_to_is_looked_through_from_its_beginning(
    training: Container,
    container: Container,
    azurite: str,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    """What was noted about the one before holds for that one alone."""
    monkeypatch.setattr("shared.runs.recent_drops.MARGIN", timedelta(seconds=-3))
    with BlobServiceClient.from_connection_string(azurite) as service:
        old = Container(service.get_container_client(f"t{secrets.token_hex(6)}"))
        old.create()
        training.put("a.jsonl", b"x")
        old.put("m.jsonl", b"x")
        old.put("n.jsonl", b"x")
        for _ in range(3):
            found(a_look(old, container, most=most))
    assert found(a_look(training, container, most=most)) == {"a"}


def test_look_that_died_before_it_was_noted_is_done_again(
    training: Container, container: Container
) -> None:
    """Nothing is ticked off before it was started."""
    training.put("one.jsonl", b"x")
    assert [drop.name for drop in a_look(training, container).unheard()] == ["one"]
    assert found(a_look(training, container)) == {"one"}


def test_idle_look_at_many_old_drops_asks_for_one_page_and_the_note(
    training: Container, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier pass has seen is not looked up in the ledger, and nothing is written."""
    monkeypatch.setattr("shared.runs.recent_drops.MARGIN", timedelta(seconds=-3))
    for number in range(20):
        training.put(f"run{number}.jsonl", b"x")
    assert len(found(a_look(training, container))) == 20
    before = container.facts("drops.json")
    assert found(a_look(training, container)) == set()
    assert before == container.facts("drops.json")
