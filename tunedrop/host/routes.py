"""Routes of HTTP triggers: the app's templates under the prefix of host.json, the most literal one
first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tunedrop.host.errors import HostError
from tunedrop.host.functions import Function

_PART = re.compile(
    r"\{(?P<all>\*{0,2})(?P<name>[A-Za-z_]\w*)(?::(?P<constraint>int|alpha|guid))?(?P<optional>\?)?\}"
)
_CONSTRAINTS = {
    "int": r"-?\d+",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    None: r"[^/]+",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP function at one path; an empty set of methods means all."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    rank: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """The route parameters of this path, or None."""
        found = self.pattern.fullmatch(path)
        return (
            {name: value for name, value in found.groupdict().items() if value is not None}
            if found
            else None
        )


def routes(functions: Iterable[Function], prefix: str) -> list[Route]:
    """The routes of all HTTP functions, in the order in which they are tried."""
    return sorted(
        (_route(function, prefix) for function in functions if function.kind == "httpTrigger"),
        key=lambda route: route.rank,
    )


def _route(function: Function, prefix: str) -> Route:
    template = str(function.trigger.get("route") or function.name).strip("/")
    parts = [part for part in f"{prefix}/{template}".split("/") if part]
    compiled = [_compile(part, function.name) for part in parts]
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    return Route(
        function,
        re.compile("".join(text for text, _ in compiled) or "/"),
        methods,
        tuple(rank for _, rank in compiled),
    )


def _compile(part: str, function: str) -> tuple[str, int]:
    """A path segment as a pattern, and its rank: literal before parameter before catch-all."""
    found = _PART.fullmatch(part)
    if found is None:
        if "{" in part or "}" in part:
            msg = f"The function {function} has a route that this host can't serve: '{part}'."
            raise HostError(msg)
        return f"/{re.escape(part)}", 0
    if found["all"]:
        return f"(?:/(?P<{found['name']}>.*))?", 2
    text = f"/(?P<{found['name']}>{_CONSTRAINTS[found['constraint']]})"
    return (f"(?:{text})?", 1) if found["optional"] else (text, 1)
