"""What the embedded host takes from the app's host.json; without the file all of it is the Functions host's default."""

import json
from pathlib import Path
from typing import Any

from tunedrop.host.errors import HostError


def route_prefix(app: Path) -> str:
    """The prefix of all routes, `api` unless the file says otherwise; raises HostError where it can't be read."""
    return str(_extension(app, "http").get("routePrefix", "api")).strip("/")


def default_version(app: Path) -> str:
    """The version of new orchestrations, empty for none; raises HostError where the file can't be read."""
    return str(_extension(app, "durableTask").get("defaultVersion", ""))


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
