"""Text from data or from a name, made fit for people: nothing in it hides, reorders or steers.

Such characters can forge what a page or a terminal shows (CVE-2021-42574, "Trojan Source").
"""

import re
import unicodedata

# Unicode categories that steer a terminal, reorder a line, show nothing or have no fixed form.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Joiners, fillers and variation selectors of other categories. U+FE0E and U+FE0F choose between
# text and emoji, and stay.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0100-\U000e01ef]"
)
# Arabic, Syriac and Kaithi number signs: of a hidden category, but seen.
_SIGNS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")


def visible(text: object, *, keeps: str = "") -> str:
    """The text with each character that can't be seen shown as its code point, such as ⟦U+202E⟧;
    those in `keeps`, such as a line end, stay.
    """
    told = str(text)
    if told.isascii() and told.isprintable():
        return told
    return "".join(c if _seen(c) or c in keeps else f"⟦U+{ord(c):04X}⟧" for c in told)


def _seen(character: str) -> bool:
    if unicodedata.category(character) in _HIDDEN:
        return _SIGNS.match(character) is not None
    return _BLANK.match(character) is None
