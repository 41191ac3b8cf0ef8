"""What a rule is; the catalogues are in rules.py (the format) and content_rules.py (what the texts
hold).
"""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Rule(msgspec.Struct, frozen=True):
    """One rule; `fix` is what the owner of the data can do.

    `gathered`: a file has one finding for all its lines, as they mostly have the fault in common
    (gathering.py).
    """

    code: str
    severity: Severity
    title: str
    explanation: str
    fix: str
    gathered: bool = False
