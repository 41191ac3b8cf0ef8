"""The rules of one example for reinforcement fine-tuning: a conversation that ends with the
question, and fields for the grader.

What a grader must be, and which fields it reads, stands in `graders`.
"""

from collections.abc import Iterator

from ..models.base_models import KnownModel
from ..reading.json_types import JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import images, keys, messages, tools
from .messages import objects_in, role_of


def check(example: JsonObject, model: KnownModel) -> Iterator[Finding]:
    """Everything that is wrong with an example; further fields at its top level are the
    grader's.
    """
    example, nulls = keys.without_nulls(example)
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
