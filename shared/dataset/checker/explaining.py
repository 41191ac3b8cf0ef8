"""One rule by its code."""

import difflib

from .. import CannotCheck, rules

_PREFIX = "TD-DATA-"


def rule(code: str) -> rules.Rule:
    """The rule of a code such as `TD-DATA-103`, `td-data-103` or `103`.

    Raises:
        CannotCheck: There is none; the nearest one is named.
    """
    wanted = code.strip().upper()
    wanted = wanted if wanted.startswith(_PREFIX) else f"{_PREFIX}{wanted}"
    found = rules.RULES.get(wanted)
    if found is None:
        nearest = rules.RULES[max(rules.RULES, key=lambda known: difflib.SequenceMatcher(None, known, wanted[:64]).ratio())]
        raise CannotCheck(f"There is no rule of this code; the nearest one is {nearest.code}, {nearest.title}.")
    return found
