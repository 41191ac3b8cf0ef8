"""Text from data or from a name, fit for a terminal and for a log."""

import unicodedata

# Unicode categories that steer a terminal, reorder a line or show nothing.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: object, *, lines: bool = False) -> str:
    """The text with everything that can't be seen shown as its code point; with `lines` it keeps
    its line ends.
    """
    return "".join(
        c if _seen(c) or (lines and c == "\n") else f"⟦U+{ord(c):04X}⟧" for c in str(text)
    )


def _seen(character: str) -> bool:
    return unicodedata.category(character) not in HIDDEN
