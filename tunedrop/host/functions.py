"""The app's functions, as its own metadata describes them: the host keeps no second list."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tunedrop.host.errors import HostError

type Binding = Mapping[str, Any]

SUPPORTED_TRIGGERS = frozenset(
    {"activityTrigger", "blobTrigger", "httpTrigger", "orchestrationTrigger", "timerTrigger"}
)


class Metadata(Protocol):
    """What the worker runtime tells about one function."""

    name: str
    function_id: str
    raw_bindings: Iterable[str]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its trigger, and the parameters that want a durable client."""

    name: str
    id: str
    trigger: Binding
    clients: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The trigger's type, such as `httpTrigger`."""
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        """Name of the parameter that takes the trigger's value."""
        return str(self.trigger["name"])


def parse(metadata: Metadata) -> Function:
    """Read one function's raw bindings.

    Raises HostError where the trigger is one that this host can't serve.
    """
    bindings: list[dict[str, Any]] = [json.loads(raw) for raw in metadata.raw_bindings]
    trigger = next(
        (binding for binding in bindings if str(binding["type"]).endswith("Trigger")), None
    )
    if trigger is None or trigger["type"] not in SUPPORTED_TRIGGERS:
        kind = trigger["type"] if trigger else "no trigger"
        msg = (
            f"The function {metadata.name} has {kind}; the embedded host serves "
            f"{', '.join(sorted(SUPPORTED_TRIGGERS))}."
        )
        raise HostError(msg)
    clients = tuple(
        str(binding["name"]) for binding in bindings if binding["type"] == "durableClient"
    )
    return Function(metadata.name, metadata.function_id, trigger, clients)


def of_kind(functions: Iterable[Function], kind: str) -> list[Function]:
    """The functions with this type of trigger, in the app's order."""
    return [function for function in functions if function.kind == kind]


def resolve_settings(text: str, settings: Mapping[str, str] = os.environ) -> str:
    """The text with each `%NAME%` replaced by that app setting, as the Functions host does in
    binding expressions.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in settings:
            msg = f"The app setting {name} is missing: a binding of the app refers to it."
            raise HostError(msg)
        return settings[name]

    return re.sub(r"%([^%]+)%", value, text)
