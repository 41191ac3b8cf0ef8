"""What the embedded host takes from the app's host.json; without the file all of it is the
Functions host's default.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tunedrop.host.errors import HostError


def route_prefix(app: Path) -> str:
    """The prefix of all routes; raises HostError where the file can't be read."""
    # `api` is the Functions host's default.
    return str(_extension(app, "http").get("routePrefix", "api")).strip("/")


@dataclass(frozen=True, slots=True)
class DurableTask:
    """What the durable engine takes from the file: the version of new orchestrations, empty for
    none, and how long the work of a lost worker stays hidden.
    """

    version: str = ""
    control_hidden: timedelta = timedelta(minutes=5)
    work_item_hidden: timedelta = timedelta(minutes=5)


def durable_task(app: Path) -> DurableTask:
    """The section `durableTask`; raises HostError where it can't be read."""
    section = _extension(app, "durableTask")
    provider = section.get("storageProvider", {})
    return DurableTask(
        str(section.get("defaultVersion", "")),
        _time(app, provider, "controlQueueVisibilityTimeout"),
        _time(app, provider, "workItemQueueVisibilityTimeout"),
    )


def _time(app: Path, section: dict[str, Any], name: str) -> timedelta:
    """A time as hours:minutes:seconds."""
    # Five minutes are the extension's default of both.
    text = str(section.get(name, "00:05:00"))
    try:
        hours, minutes, seconds = (int(part) for part in text.split(":"))
    except ValueError as error:
        msg = f"{app / 'host.json'}: {name} is no time such as 00:01:00."
        raise HostError(msg) from error
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _extension(app: Path, name: str) -> dict[str, Any]:
    path = app / "host.json"
    try:
        settings = json.loads(path.read_text("utf-8"))
        return dict(settings.get("extensions", {}).get(name, {}))
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        msg = f"{path} is no JSON object."
        raise HostError(msg) from error
