"""The rules of one example for preference training (DPO): an input, the output that is preferred
and the one that isn't.
"""

from collections.abc import Iterator

from ..contents import compared_texts
from ..contents.compared_texts import ComparedTexts
from ..models.base_models import PREFERENCE, KnownModel
from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import images, keys, messages, tools
from .format import Format, Place
from .keys import NON_PREFERRED, PREFERENCE_KEYS, PREFERRED
from .messages import objects_in, role_of

OUTPUT_ROLES = ("assistant", "tool")

LINE_KEYS = frozenset(PREFERENCE_KEYS)
PLACES = (
    Place(("input", "messages"), learns=False),
    Place((PREFERRED,), learns=True),
    Place((NON_PREFERRED,), learns=False),
)
_INPUT_KEYS = frozenset({"messages", *tools.KEYS})


def fits(example: JsonObject, _model: KnownModel) -> bool:
    """Whether the line has any of the three keys, and no conversation beside them."""
    return "messages" not in example and not LINE_KEYS.isdisjoint(example)


def answer(example: JsonObject) -> ComparedTexts:
    """The input, both outputs as its answer, and the last of the preferred output as what is
    learnt.
    """
    preferred, other = example.get(PREFERRED), example.get(NON_PREFERRED)
    if preferred is None:
        return compared_texts.of_another(example)
    last = preferred[-1] if isinstance(preferred, list) and preferred else None
    both = compared_texts.BETWEEN.join(map(compared_texts.as_json, (preferred, other)))
    return ComparedTexts(
        compared_texts.as_json(example.get("input")), both, compared_texts.prose(last)
    )


def check(example: JsonObject, model: KnownModel) -> Iterator[Finding]:
    """Everything that is wrong with an example, in the order of its fields."""
    example, nulls = keys.without_nulls(example, FORMAT.paths)
    yield from keys.check_nulls(nulls)
    yield from keys.unknown(example, LINE_KEYS, "")
    given = example.get("input")
    if isinstance(given, dict):
        yield from _input(given, model)
    else:
        yield finding(format_rules.INPUT_MISSING, "/input" if "input" in example else "")
    for key in (PREFERRED, NON_PREFERRED):
        yield from _output(example, key, model)
    if _is_text_pair(example) and example[PREFERRED] == example[NON_PREFERRED]:
        yield finding(format_rules.OUTPUTS_IDENTICAL)
    yield from images.check_number(
        (message for message, _ in FORMAT.conversation(example)), "/input/messages"
    )
    yield from _calls(example, given if isinstance(given, dict) else {})


def _input(given: JsonObject, model: KnownModel) -> Iterator[Finding]:
    yield from keys.unknown(given, _INPUT_KEYS, "/input")
    if "messages" not in given:
        yield finding(format_rules.MESSAGES_MISSING, "/input")
        return
    yield from messages.check_all("/input/messages", given["messages"], model)
    objects = objects_in(given["messages"])
    if objects and not any(role_of(message) == "user" for message in objects):
        yield finding(format_rules.INPUT_WITHOUT_USER, "/input/messages")


def _output(example: JsonObject, key: str, model: KnownModel) -> Iterator[Finding]:
    output = example.get(key)
    if not isinstance(output, list) or not output:
        yield finding(
            format_rules.OUTPUT_MISSING,
            f"/{key}" if key in example else "",
            f"{key} must be an array with at least one message.",
        )
        return
    for index, message in enumerate(output):
        yield from messages.check(f"/{key}/{index}", message, model, weighed=False)
        if role_of(message) not in ("", *OUTPUT_ROLES):
            yield finding(format_rules.OUTPUT_ROLE, f"/{key}/{index}/role")
    if not any(role_of(message) == "assistant" for message in output):
        yield finding(format_rules.OUTPUT_WITHOUT_ASSISTANT, f"/{key}")


def _is_text_pair(example: JsonObject) -> bool:
    return bool(example.get(PREFERRED)) and bool(example.get(NON_PREFERRED))


def _calls(example: JsonObject, given: JsonObject) -> Iterator[Finding]:
    """Calls and answers of the two conversations; what stands in the input is told once."""
    yield from tools.check_declarations(given, "/input")
    declared = tools.declared_in(given)
    told: set[tuple[str, str]] = set()
    for key in (PREFERRED, NON_PREFERRED):
        conversation = [
            *_placed("/input/messages", given.get("messages")),
            *_placed(f"/{key}", example.get(key)),
        ]
        for found in tools.check_calls(conversation, declared):
            if (found.code, found.field) not in told:
                told.add((found.code, found.field))
                yield found


def _placed(place: str, given: Json) -> Iterator[tuple[str, Json]]:
    for index, message in enumerate(given if isinstance(given, list) else ()):
        yield f"{place}/{index}", message


FORMAT = Format(
    name=PREFERENCE,
    method=PREFERENCE,
    keys=LINE_KEYS,
    places=PLACES,
    fits=fits,
    check=check,
    answer=answer,
    conflicts=False,  # several answers to a prompt are meant
)
