"""Every blob is listed whose name can be told, whatever other names lie between."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ServiceUnavailable
from shared.services.blob_listing import Unreadable, every
from shared.services.storage import Container
from tests.azurite import azurite

__all__ = ["azurite"]


@dataclass
class Shelf:
    """Names in a storage that can't tell some of them, as Azurite behaves."""

    names: set[str]
    away: bool = False
    asked: int = 0
    hidden: list[str] = field(default_factory=list[str])

    def page(self, prefix: str, marker: str, size: int) -> tuple[list[str], str | None]:
        """The names that begin so, after the marker."""
        self.asked += 1
        after = sorted(name for name in self.names if name.startswith(prefix) and name > marker)
        found = after[:size]
        if self.away or any(untellable(name) for name in found):
            raise Unreadable
        return found, found[-1] if len(after) > size else None

    def told(self, most: int = 5_000) -> list[str]:
        """All that can be listed."""
        return list(every(self.page, "", lambda: self.hidden.append("one"), most))


def untellable(name: str) -> bool:
    """Whether XML has no room for the name."""
    return any(char < " " or char in "\ufffe\uffff" for char in name)


OF_DROPS = st.text("ab0-/._ A~", min_size=1, max_size=6)
HIDDEN = st.tuples(st.text("ab/~é", max_size=4), st.text(max_size=3)).map("\x01".join)
ANY = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


@given(
    st.sets(OF_DROPS, max_size=30), st.sets(HIDDEN, max_size=4), st.sampled_from([1, 3, 10, 5_000])
)
def test_names_of_drops_are_told_whatever_lies_between(
    names: set[str], hidden: set[str], most: int
) -> None:
    """Each once and in order; one hidden name or several make no difference."""
    shelf = Shelf(names | hidden)
    assert (shelf.told(most), bool(shelf.hidden)) == (sorted(names), bool(hidden))


@given(st.sets(ANY, max_size=30), st.sampled_from([1, 3, 5_000]))
def test_no_name_is_told_twice_or_out_of_order(names: set[str], most: int) -> None:
    """Whatever the names are."""
    told = Shelf(names).told(most)
    assert (sorted(set(told)), set(told) - names) == (told, set())


def test_long_hidden_name_takes_only_those_along_that_begin_like_it() -> None:
    """Of its thousand characters 64 are followed, not all: every one of them costs a hundred
    questions.
    """
    long = "a" * 1_000
    shelf = Shelf({"a", f"{long}\x01", f"{'a' * 63}b", "b"})
    assert (shelf.told(), shelf.hidden) == (["a", f"{'a' * 63}b", "b"], ["one"])
    assert shelf.asked < 65 * 100


def test_storage_that_tells_nothing_is_no_empty_container() -> None:
    """After a few questions, not after one for each character that there is."""
    shelf = Shelf({"a"}, away=True)
    with pytest.raises(Unreadable):
        shelf.told()
    assert shelf.asked < 30


@pytest.fixture
def container(azurite: str) -> Iterator[Container]:
    """An empty container on Azurite."""
    with BlobServiceClient.from_connection_string(azurite, retry_total=0) as service:
        made = Container(service.get_container_client(f"t{secrets.token_hex(6)}"))
        made.create()
        yield made


@pytest.mark.parametrize(
    "name", ["run/\x01.jsonl", "\x1f", "m\x0bn/training_set.jsonl", "m\ufffe"], ids=ascii
)
def test_blob_with_a_name_that_azurite_cant_tell_hides_no_other(
    container: Container, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are listed, and the log tells of it once, without the name."""
    others = ["a.jsonl", "m/training_set.jsonl", "run/training_set.jsonl", "z.jsonl"]
    for blob in [*others, name]:
        container.put(blob, b"")
    assert [facts.name for facts in container.list()] == others
    said = [
        record.getMessage()
        for record in caplog.records
        if record.name == "shared.services.container"
    ]
    assert said == ["blob with a name that can't be listed"]
    assert name not in caplog.text


def test_container_without_hidden_names_is_asked_once_a_page(container: Container) -> None:
    """The usual case costs what it did."""
    container.put("a", b"")
    assert [facts.name for facts in container.list("a")] == ["a"]
    assert list(container.list("b")) == []


def test_listing_of_a_storage_that_is_away_is_unavailable() -> None:
    """Nothing listens there: no search for hidden names begins."""
    away = BlobServiceClient("http://127.0.0.1:9/account", credential="c2VjcmV0", retry_total=0)
    with pytest.raises(ServiceUnavailable):
        list(Container(away.get_container_client("training")).list())
