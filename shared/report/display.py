"""Figures and foreign text as people read them. Escaping for HTML is not done here: the template
does it for everything.
"""

import re
from datetime import UTC, datetime

from tunedrop_check.rules.wording import counted, lasting

# Controls, soft hyphen, joiners, fillers, bidi marks, line separators, variation selectors and
# tags. U+FE0E and U+FE0F pick text or emoji style and stay; Arabic number signs (also category Cf)
# have glyphs of their own and stay.
# Data can hold characters that hide, reorder or forge text on the page (CVE-2021-42574, "Trojan
# Source").
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Text in which each unseen character stands as its code point, such as ⟦U+202E⟧."""
    # Line ends and tabs stay.
    return _UNSEEN.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text.replace("\r\n", "\n"))


def number(value: float) -> str:
    """1234 as 1,234 and 49.8 as 49.8: at most one decimal."""
    shown = f"{value:,.1f}"
    return shown.removesuffix(".0")


def shown_of(shown: int, total: int, noun: str) -> str:
    """7 errors where all are shown, else: first 100 of 1,234 errors."""
    return counted(total, noun) if shown >= total else f"first {shown:,} of {counted(total, noun)}"


def size(value: int) -> str:
    """Bytes in decimal units, to three figures: 318 kB, 1.05 MB."""
    if value < 1000:
        return counted(value, "byte")
    scaled, unit = float(value), "bytes"
    for larger in ("kB", "MB", "GB"):
        if scaled < 999.5:
            break
        scaled, unit = scaled / 1000, larger
    return f"{scaled:.3g} {unit}" if scaled < 1000 else f"{scaled:,.0f} {unit}"


def duration(start: datetime, end: datetime) -> str:
    """The two largest units of the time between two instants: 3 min 20 s, 2 d 3 h."""
    return lasting((end - start).total_seconds())


def moment(at: datetime) -> str:
    """An instant to the minute, in UTC."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def clock(at: datetime) -> str:
    """The time of day of an instant, in UTC."""
    return f"{at.astimezone(UTC):%H:%M:%S}"
