"""Answers of services, read field by field: a field is what it is said to be, or the answer is
unusable.
"""

import math
from dataclasses import dataclass
from typing import cast

from shared.json_input import NotJson, decoded
from shared.services import service_text

NAME_CHARS = 256
LINK_CHARS = 8_192
# The last second of the year 9999: later times are none that a date can tell.
LAST_SECOND = 253_402_300_799
# Whole numbers beyond are no longer exact in JSON.
MOST = 2**53


# A service may answer anything: text for a number, a list for an object, a time in the year three
# trillion. None of it may surprise later, so it is refused where it is read.
class Unusable(ValueError):
    """The answer can't be used; the message says which field, and quotes nothing of it."""


@dataclass(frozen=True)
class Told:
    """One object of an answer."""

    fields: dict[str, object]

    @classmethod
    def read(cls, content: bytes) -> "Told":
        """The object that these bytes are the JSON of.

        Raises:
            Unusable: they are none.
        """
        try:
            return cls.of(decoded(content))
        except NotJson as error:
            raise Unusable(f"it is no JSON: {error}") from None

    @classmethod
    def of(cls, value: object) -> "Told":
        """This object.

        Raises:
            Unusable: it is none.
        """
        if not isinstance(value, dict):
            raise Unusable("it is no object")
        return cls(cast("dict[str, object]", value))

    @classmethod
    def leniently(cls, value: object) -> "Told":
        """This object; an empty one where it is none."""
        return cls(cast("dict[str, object]", value)) if isinstance(value, dict) else cls({})

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self.fields.get(field) is not None

    def flag(self, field: str) -> bool:
        """Yes or no; no where the field isn't there."""
        value = self.fields.get(field)
        if value is not None and not isinstance(value, bool):
            raise Unusable(f"`{field}` is neither true nor false")
        return value is True

    def name(self, field: str, absent: str | None = None) -> str:
        """A name or id: printable, at most 256 characters; `absent` where there is none."""
        value = self.fields.get(field)
        if value is None and absent is not None:
            return absent
        if not isinstance(value, str) or not value.isprintable() or len(value) > NAME_CHARS:
            raise Unusable(f"`{field}` is no name")
        return value

    def ident(self, field: str) -> str:
        """An id: letters, digits, `_`, `-`, `.` and `:`; "" where there is none."""
        value = self.name(field, "")
        # It later stands in an address, where `.` and `..` would lead elsewhere.
        if value and (service_text.ident(value) != value or not value.strip(".")):
            raise Unusable(f"`{field}` is no id")
        return value

    def of_id(self, asked: str, field: str = "id") -> "Told":
        """This object, where it is the one that was asked for.

        Raises:
            Unusable: it is another one, or says not which.
        """
        if self.name(field, "").lower() != asked.lower():
            raise Unusable("it is not what was asked for")
        return self

    def link(self, field: str) -> str:
        """An address, printable, at most 8,192 characters."""
        # Whether it may be followed is the caller's to say (`call_limits.hold_to_origin`).
        value = self.fields.get(field)
        if not isinstance(value, str) or not value.isprintable() or len(value) > LINK_CHARS:
            raise Unusable(f"`{field}` is no address")
        return value

    def words(self, field: str, most: int = service_text.MESSAGE_CHARS) -> str | None:
        """A text for people; None where there is none."""
        return service_text.told(self.fields.get(field), most) or None

    def whole(self, field: str, absent: int = 0, most: int = MOST) -> int:
        """A whole number from 0 up to `most`; `absent` where there is none."""
        value = self.fields.get(field)
        if value is None:
            return absent
        # JSON knows one kind of number: 3.0 is a whole one, too.
        if isinstance(value, float) and value.is_integer() and value <= most:
            value = int(value)
        # In Python a bool is an int, but `true` is no number.
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise Unusable(f"`{field}` is no whole number")
        return value

    def whole_or_none(self, field: str) -> int | None:
        """A whole number from 0 up; None where there is none."""
        return self.whole(field) if self.has(field) else None

    def second(self, field: str) -> int | None:
        """A point of time in seconds since 1970, up to the year 9999; None where there is none."""
        return self.whole(field, most=LAST_SECOND) if self.has(field) else None

    def number(self, field: str) -> float:
        """A number, finite and not negative; 0 where there is none."""
        value = self.fields.get(field)
        found = finite(0 if value is None else value)
        if found is None or found < 0:
            raise Unusable(f"`{field}` is no number")
        return found

    def inner(self, field: str) -> "Told":
        """The object in this field; an empty one where there is none."""
        value = self.fields.get(field)
        if value is not None and not isinstance(value, dict):
            raise Unusable(f"`{field}` is no object")
        return Told(cast("dict[str, object]", value or {}))

    def each(self, field: str) -> list["Told"]:
        """The objects of the list in this field; none where there is no such field."""
        return [Told.of(value) for value in self.values(field)]

    def listed(self, field: str) -> list["Told"]:
        """The objects of the list in this field, which must be there."""
        # An answer that says nothing is not one that says "none".
        if not self.has(field):
            raise Unusable(f"`{field}` is missing")
        return self.each(field)

    def values(self, field: str) -> list[object]:
        """The list in this field; an empty one where there is no such field."""
        value = self.fields.get(field)
        if value is not None and not isinstance(value, list):
            raise Unusable(f"`{field}` is no list")
        return cast("list[object]", value or [])


def finite(value: object) -> float | None:
    """A number as a float; None for anything else, and for a number that no float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    # A whole number of JSON may have any length; a float ends at about 1.8e308.
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
