"""The rules of tools in one example: declarations, calls, and the answers to them."""

from collections.abc import Iterable, Iterator

from ..reading import lines
from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding

# Where an example speaks of its tools, beside its messages.
KEYS = frozenset({"tools", "parallel_tool_calls", "functions", "function_call"})


def check(example: JsonObject) -> Iterator[Finding]:
    """Everything that is wrong with the tools and functions of an example whose messages stand in
    `messages`.
    """
    yield from check_declarations(example)
    messages = example.get("messages")
    if isinstance(messages, list):
        yield from check_calls(
            ((f"/messages/{index}", message) for index, message in enumerate(messages)),
            declared_in(example),
        )


def check_declarations(given: JsonObject, place: str = "") -> Iterator[Finding]:
    """Everything that is wrong with the declarations in the object at this place."""
    if "tools" in given:
        yield from _each_declaration(f"{place}/tools", given["tools"], wrapped=True)
    if "functions" in given:
        yield finding(format_rules.LEGACY_FUNCTIONS, f"{place}/functions")
        yield from _each_declaration(f"{place}/functions", given["functions"], wrapped=False)
        if "tools" in given:
            yield finding(format_rules.TOOLS_AND_FUNCTIONS, place)
    if "parallel_tool_calls" in given and not isinstance(given["parallel_tool_calls"], bool):
        yield finding(format_rules.PARALLEL_TYPE, f"{place}/parallel_tool_calls")


def _each_declaration(place: str, declared: Json, wrapped: bool) -> Iterator[Finding]:
    if not isinstance(declared, list):
        yield finding(format_rules.TOOLS_SHAPE, place)
        return
    for index, entry in enumerate(declared):
        if not _is_declaration(entry, wrapped):
            yield finding(format_rules.TOOLS_SHAPE, f"{place}/{index}")


def _is_declaration(entry: Json, wrapped: bool) -> bool:
    if not isinstance(entry, dict) or (wrapped and entry.get("type") != "function"):
        return False
    function = entry.get("function") if wrapped else entry
    return (
        isinstance(function, dict)
        and _is_text(function.get("name"))
        and isinstance(function.get("description", ""), str)
        and isinstance(function.get("parameters", {}), dict)
    )


def declared_in(given: JsonObject) -> frozenset[str]:
    """The names of the tools and functions that an object declares."""
    found: list[Json] = []
    for key in ("tools", "functions"):
        declared = given.get(key)
        for entry in declared if isinstance(declared, list) else ():
            function = (
                entry.get("function") if isinstance(entry, dict) and key == "tools" else entry
            )
            found.append(function.get("name") if isinstance(function, dict) else None)
    return frozenset(name for name in found if isinstance(name, str))


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and value != ""


def check_calls(
    conversation: Iterable[tuple[str, Json]], declared: frozenset[str]
) -> Iterator[Finding]:
    """Walk a conversation of places and messages: calls made, and calls that wait for an answer."""
    made: set[str] = set()
    waiting: dict[str, str] = {}
    is_call = False
    for field, message in conversation:
        if not isinstance(message, dict):
            continue
        role = message.get("role")
        if role == "tool":
            yield from _answer(field, message, made, waiting)
        else:
            yield from _unanswered(waiting)
        yield from _legacy_call(field, message, declared)
        for place, call in _calls_of(field, message):
            yield from _call(place, call, declared)
            identity = call.get("id") if isinstance(call, dict) else None
            if isinstance(identity, str) and identity:
                made.add(identity)
                if role == "assistant":
                    waiting[identity] = place
        if "tool_calls" in message:
            yield from _call_list(f"{field}/tool_calls", message["tool_calls"], role)
        is_call = "tool_calls" in message
    # An example may end with its calls: they are what the model is to learn.
    if not is_call:
        yield from _unanswered(waiting)


def _unanswered(waiting: dict[str, str]) -> Iterator[Finding]:
    for place in waiting.values():
        yield finding(format_rules.CALL_UNANSWERED, place)
    waiting.clear()


def _answer(
    field: str, message: JsonObject, made: set[str], waiting: dict[str, str]
) -> Iterator[Finding]:
    identity = message.get("tool_call_id")
    if isinstance(identity, str) and identity in made:
        waiting.pop(identity, None)
        return
    yield finding(
        format_rules.ANSWER_UNMATCHED,
        f"{field}/tool_call_id" if "tool_call_id" in message else field,
    )
    # It is meant for one of the calls that wait: that one lacks no answer, but its id.
    waiting.pop(next(iter(waiting), ""), None)


def _calls_of(field: str, message: JsonObject) -> Iterator[tuple[str, Json]]:
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        yield f"{field}/tool_calls/{index}", call


def _call_list(place: str, calls: Json, role: Json) -> Iterator[Finding]:
    if role != "assistant":
        yield finding(format_rules.CALL_PLACE, place)
    if not isinstance(calls, list) or not calls:
        yield finding(format_rules.CALL_SHAPE, place)


def _call(place: str, call: Json, declared: frozenset[str]) -> Iterator[Finding]:
    if not isinstance(call, dict):
        yield finding(format_rules.CALL_SHAPE, place)
        return
    if not _is_text(call.get("id")):
        yield finding(format_rules.CALL_SHAPE, _in(place, call, "id"))
    if call.get("type") != "function":
        yield finding(format_rules.CALL_SHAPE, _in(place, call, "type"))
    function = call.get("function")
    if isinstance(function, dict):
        yield from _function(f"{place}/function", function, declared)
    else:
        yield finding(format_rules.CALL_SHAPE, _in(place, call, "function"))


def _in(place: str, given: JsonObject, key: str) -> str:
    """The place of a key where it is there, else that of the object that lacks it."""
    return f"{place}/{key}" if key in given else place


def _legacy_call(field: str, message: JsonObject, declared: frozenset[str]) -> Iterator[Finding]:
    if "function_call" not in message:
        return
    place = f"{field}/function_call"
    yield finding(format_rules.LEGACY_FUNCTIONS, place)
    if message.get("role") != "assistant":
        yield finding(format_rules.CALL_PLACE, place)
    call = message["function_call"]
    if isinstance(call, dict):
        yield from _function(place, call, declared)
    else:
        yield finding(format_rules.CALL_SHAPE, place)


def _function(place: str, function: JsonObject, declared: frozenset[str]) -> Iterator[Finding]:
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not name:
        yield finding(format_rules.CALL_SHAPE, _in(place, function, "name"))
    elif name not in declared:
        yield finding(format_rules.TOOL_UNDECLARED, f"{place}/name")
    if "arguments" not in function:
        yield finding(format_rules.CALL_SHAPE, place)
    elif not isinstance(arguments, str):
        yield finding(format_rules.ARGUMENTS_NOT_JSON, f"{place}/arguments")
    else:
        yield from _arguments(f"{place}/arguments", arguments)


def _arguments(place: str, text: str) -> Iterator[Finding]:
    if _is_object(text):
        return
    inner = lines.text_in(text.encode("utf-8", "surrogatepass"))
    yield finding(
        format_rules.ARGUMENTS_TWICE
        if inner is not None and _is_object(inner)
        else format_rules.ARGUMENTS_NOT_JSON,
        place,
    )


def _is_object(text: str) -> bool:
    return lines.decode(text.encode("utf-8", "surrogatepass")).value is not None
