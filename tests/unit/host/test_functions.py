"""What the host learns from the app's metadata."""

import json
from typing import Any

import pytest

from tunedrop.host.errors import FunctionFailed, HostError, bounded
from tunedrop.host.functions import parse, resolve_settings
from tunedrop.host.messages import Message


def metadata(*bindings: dict[str, Any]) -> Any:
    """Metadata of one function, as the runtime answers it."""
    return Message(
        name="act", function_id="1", raw_bindings=[json.dumps(binding) for binding in bindings]
    )


def test_function_is_read_from_its_bindings() -> None:
    """Kind, parameter and durable clients come from the raw bindings."""
    client = {"type": "durableClient", "name": "client"}
    function = parse(metadata(client, {"type": "activityTrigger", "name": "request"}))
    assert (function.kind, function.parameter, function.clients) == (
        "activityTrigger",
        "request",
        ("client",),
    )


@pytest.mark.parametrize(
    "bindings",
    [[{"type": "queueTrigger", "name": "q"}], [{"type": "blob", "name": "b"}]],
    ids=["queue", "none"],
)
def test_function_is_refused_when_its_trigger_is_not_served(bindings: list[dict[str, Any]]) -> None:
    """A function that would never fire is an error at start."""
    with pytest.raises(HostError, match="act"):
        parse(metadata(*bindings))


def test_settings_are_filled_in() -> None:
    """`%NAME%` stands for an app setting."""
    assert resolve_settings("%DROPS%/{name}", {"DROPS": "training"}) == "training/{name}"


def test_setting_that_is_missing_is_named() -> None:
    """A missing setting stops the start."""
    with pytest.raises(HostError, match="DROPS"):
        resolve_settings("%DROPS%", {})


def test_failure_message_is_one_bounded_line() -> None:
    """Control characters are gone and 1,000 characters are the end."""
    assert bounded("a\nb\x1b[31m") == "a b [31m"
    assert len(FunctionFailed("act", "E", "x" * 5_000).message) == 1_000


def test_failure_without_a_message_keeps_its_type() -> None:
    """An empty message would look like success to the engine."""
    assert FunctionFailed("act", "ValueError", "").message == "ValueError"
