"""Figures and foreign text as people read them. Escaping for HTML is not done here: the template
does it for everything.
"""

from datetime import UTC, datetime

from tunedrop_check.rules import visible_text
from tunedrop_check.rules.wording import counted, lasting


def visible(text: str) -> str:
    """Text in which each unseen character stands as its code point, such as ⟦U+202E⟧."""
    # Line ends and tabs stay.
    return visible_text.visible(text.replace("\r\n", "\n"), keeps="\n\t")


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
