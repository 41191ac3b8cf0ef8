"""The rules of one example for reinforcement fine-tuning: a conversation that ends with the
question, and fields for the grader.

What a grader must be, and which fields it reads, stands in `graders`.
"""

from collections.abc import Iterator

from ..contents import compared_texts
from ..models.base_models import REINFORCEMENT, KnownModel
from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import images, keys, messages, preference, supervised, tools
from .format import Format, Place
from .messages import objects_in, role_of

PLACES = (Place(("messages",), learns=False),)  # the model answers by itself
_ONLY = frozenset({REINFORCEMENT})
_CHAT_KEYS = supervised.FORMAT.keys | preference.FORMAT.keys


def fits(example: JsonObject, model: KnownModel) -> bool:
    """Whether the line has a conversation that ends with the user, and further fields for a grader.

    For a model that learns in no other way, either is enough.
    """
    if "messages" not in example:
        return False
    graded, last = not example.keys() <= _CHAT_KEYS, _last_role(example["messages"])
    if model.methods == _ONLY:
        return graded or last != "assistant"
    return graded and last == "user"


def _last_role(given: Json) -> str:
    return role_of(given[-1]) if isinstance(given, list) and given else ""


def check(example: JsonObject, model: KnownModel) -> Iterator[Finding]:
    """Everything that is wrong with an example; further fields at its top level are the
    grader's.
    """
    example, nulls = keys.without_nulls(example, FORMAT.paths)
    yield from keys.check_nulls(nulls)
    if "messages" not in example:
        yield finding(format_rules.MESSAGES_MISSING)
    else:
        given = example["messages"]
        yield from messages.check_all("/messages", given, model)
        if isinstance(given, list) and given:
            if role_of(given[-1]) != "user":
                yield finding(format_rules.LAST_NOT_USER, "/messages")
            yield from images.check_number(objects_in(given))
    yield from tools.check(example)


FORMAT = Format(
    name=REINFORCEMENT,
    method=REINFORCEMENT,
    keys=frozenset({"messages", *tools.KEYS}),
    places=PLACES,
    fits=fits,
    check=check,
    answer=compared_texts.of_chat,
    priced=False,  # by the hour
    graded=True,
)
