"""What a field takes, in plain words, from its JSON Schema: a refusal tells the form that is
wanted, and none of pydantic's own words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# The patterns of the models in words; a test holds that none is missing.
PATTERNS = {
    "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9]$": (
        "2 to 64 letters, digits, `_`, `.` and `-`, with a letter or digit at each end"
    ),
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$": (
        'a date such as "2025-04-01" or "2025-04-01-preview"'
    ),
    "^[A-Za-z0-9_-]{1,40}$": "1 to 40 letters, digits, `_` and `-`",
    "^[a-z0-9](-?[a-z0-9])*$": (
        "at most 31 lower-case letters, digits and single hyphens between them"
    ),
}


def wanted(schema: Mapping[str, Any], path: tuple[str | int, ...]) -> str:
    """The form that stands at this place of a schema: `a whole number from 1 to 50, or "auto"`."""
    return ", or ".join(dict.fromkeys(_forms(schema, _at(schema, schema, path))))


def told_kind(schema: Mapping[str, Any], path: tuple[str | int, ...], value: object) -> str | None:
    """What a decoded JSON value is, and nothing of what it says; None where its kind is right."""
    name, words = _kind(value)
    taken = {_json_type(one) for one in choices(schema, _at(schema, schema, path))}
    return None if name in taken or (name == "integer" and "number" in taken) else words


def _kind(value: object) -> tuple[str, str]:
    """The JSON Schema type of a value, and its words."""
    match value:
        case None:
            return "null", "null"
        case bool():
            return "boolean", "true or false"
        case int():
            return "integer", "a whole number"
        case float():
            return "number", "a number with a decimal point"
        case str():
            return "string", "a text"
        case list():
            return "array", "a list"
        case _:
            return "object", "an object"


def _json_type(node: Mapping[str, Any]) -> str:
    return "string" if "const" in node or "enum" in node else str(node.get("type", "object"))


def _at(
    root: Mapping[str, Any], node: Mapping[str, Any], path: tuple[str | int, ...]
) -> Mapping[str, Any]:
    """The part of the schema at this place; a number leads into the items of a list."""
    # What the schema doesn't know is left out.
    for part in path:
        for one in choices(root, node):
            inner = (
                one.get("items") if isinstance(part, int) else one.get("properties", {}).get(part)
            )
            if inner is not None:
                node = inner
                break
    return node


def choices(root: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The alternatives of a schema, each without a reference."""
    if reference := node.get("$ref"):
        yield from choices(root, root["$defs"][reference.rpartition("/")[2]])
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from choices(root, one)
    elif node.get("type") != "null":  # it may be left out, which nobody writes as null
        yield node


def _forms(root: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[str]:
    forms = [_form(one) for one in choices(root, node)]
    yield from (form for form in forms if not form.startswith('"'))
    yield from (form for form in forms if form.startswith('"'))


def _form(node: Mapping[str, Any]) -> str:
    values = [node["const"]] if "const" in node else node.get("enum", [])
    if values:
        *others, last = (f'"{value}"' for value in values)
        return f"{', '.join(others)} or {last}" if others else last
    match node.get("type"):
        case "integer":
            return f"a whole number{_range(node)}"
        case "number":
            return f"a number{_range(node)}"
        case "boolean":
            return "true or false"
        case "string":
            return PATTERNS.get(
                node.get("pattern", ""),
                f"a text{_size(node, 'minLength', 'maxLength', 'character')}",
            )
        case "array":
            return f"a list{_size(node, 'minItems', 'maxItems', 'entry')}"
        case _:
            return "an object in braces"


def _range(node: Mapping[str, Any]) -> str:
    low, high, above, below = (
        node.get(name) for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    )
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    bounds = [
        f"of at least {low:,}" if low is not None else "",
        f"above {above:,}" if above is not None else "",
    ]
    bounds += [
        f"below {below:,}" if below is not None else "",
        f"at most {high:,}" if high is not None else "",
    ]
    told = " and ".join(bound for bound in bounds if bound)
    return f" {told}" if told else ""


def _size(node: Mapping[str, Any], least: str, most: str, unit: str) -> str:
    low, high = node.get(least), node.get(most)
    units = f"{unit[:-1]}ies" if unit.endswith("y") else f"{unit}s"
    if low is not None and high is not None:
        return f" of {low:,} to {high:,} {units}"
    return f" of at most {high:,} {units}" if high is not None else ""
