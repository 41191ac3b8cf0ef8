"""A blob that starts no run and joins none leaves a trace."""

import logging
import secrets
from collections.abc import Iterator
from typing import Any, cast

import pytest

from shared import settings
from shared.services import storage
from tests.azurite import azurite
from tests.unit.app.test_health import undecorated
from triggers import drops

__all__ = ["azurite"]


class Landed:
    """A blob as the trigger hands it over."""

    def __init__(self, name: str) -> None:
        self.blob_name = name


@pytest.fixture(autouse=True)
def account(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty container for drops."""
    monkeypatch.setenv("DropStorage", azurite)
    monkeypatch.setenv("TUNEDROP_TRAINING_CONTAINER", f"training-{secrets.token_hex(6)}")
    forget()
    storage.training().create()
    yield
    forget()


def forget() -> None:
    """What the app caches of its settings is read anew."""
    for cached in (settings.settings, settings.storage_connection, vars(storage)["_service"]):
        cached.cache_clear()


def heard(name: str, caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the log tells of the landing of this blob."""
    storage.training().put(name, b"x")
    with caplog.at_level(logging.INFO, "tunedrop"):
        undecorated(drops.on_drop)(Landed(name), cast("Any", None))
    return [vars(record) for record in caplog.records if record.message == "blob starts no run"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("data.csv", "data.csv", id="another ending"),
        pytest.param("desk/data.jsonl", "desk/data.jsonl", id="another name in a folder"),
        pytest.param("job.json", "job.json", id="a job file beside no folder"),
        pytest.param("größe.txt", "gr\\xf6\\xdfe.txt", id="letters outside ASCII"),
        pytest.param("a" * 300 + ".txt", "a" * 100, id="a long name"),
    ],
)
def test_blob_that_starts_no_run_is_told(
    name: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By its name, escaped and cut."""
    assert [record["blob"] for record in heard(name, caplog)] == [told]


@pytest.mark.parametrize(
    "name",
    [
        "desk/validation_set.jsonl",
        "desk/job.json",
        "desk/training/part-0.json",
        "desk/validation/_SUCCESS",
    ],
)
def test_blob_that_joins_a_run_is_expected(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Companions and parts are no surprise."""
    assert heard(name, caplog) == []
