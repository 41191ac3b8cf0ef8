"""The rules of one example for supervised fine-tuning: a conversation that ends with the answer to
learn.
"""

from collections.abc import Iterator

from ..contents import compared_texts
from ..models.base_models import SUPERVISED, KnownModel
from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import images, keys, messages, tools
from .format import Format, Place
from .keys import PREFERENCE_KEYS
from .messages import is_zero, objects_in, role_of

LINE_KEYS = frozenset({"messages", *tools.KEYS})
PLACES = (Place(("messages",), learns=True),)


def fits(example: JsonObject, _model: KnownModel) -> bool:
    """Whether the line has a conversation."""
    return "messages" in example


def check(example: JsonObject, model: KnownModel) -> Iterator[Finding]:
    """Everything that is wrong with an example, in the order of its fields."""
    example, nulls = keys.without_nulls(example, FORMAT.paths)
    yield from keys.check_nulls(nulls)
    yield from _line_keys(example)
    if "messages" not in example:
        yield finding(format_rules.MESSAGES_MISSING)
    else:
        given = example["messages"]
        yield from messages.check_all("/messages", given, model, weighed=True)
        if isinstance(given, list) and given:
            yield from _conversation(objects_in(given), given[-1])
            yield from images.check_number(objects_in(given))
    yield from tools.check(example)


def _line_keys(example: JsonObject) -> Iterator[Finding]:
    foreign = [key for key in PREFERENCE_KEYS if key in example]
    if foreign and "messages" in example:
        yield finding(
            format_rules.OTHER_FORMAT_KEY,
            message=f"The line has {', '.join(foreign)} beside messages.",
        )
    yield from keys.unknown(example, LINE_KEYS | set(PREFERENCE_KEYS), "")


def _conversation(given: list[JsonObject], last: Json) -> Iterator[Finding]:
    roles = [role_of(message) for message in given]
    if "user" not in roles:
        yield finding(format_rules.NO_USER, "/messages")
    answers = [message for message, role in zip(given, roles, strict=True) if role == "assistant"]
    if not answers:
        yield finding(format_rules.NO_ASSISTANT, "/messages")
    elif role_of(last) != "assistant":
        yield finding(format_rules.LAST_NOT_ASSISTANT, "/messages")
    if answers and all(is_zero(message.get("weight", 1)) for message in answers):
        yield finding(format_rules.NOTHING_TO_LEARN, "/messages")


FORMAT = Format(
    name=SUPERVISED,
    method=SUPERVISED,
    keys=LINE_KEYS,
    places=PLACES,
    fits=fits,
    check=check,
    answer=compared_texts.of_chat,
)
