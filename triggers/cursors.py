"""The cursor of a page of runs, as a caller gets it and gives it back: text that tells nothing."""

import base64
import json
from typing import Any, cast

from shared.models.api import CURSOR_MAX_CHARS
from shared.runs.run_index import Cursor


class NotACursor(ValueError):
    """It is none that was given out."""


def written(cursor: Cursor) -> str:
    """A cursor as text for an address."""
    told = json.dumps([cursor.after, cursor.marker]).encode()
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def read(text: str) -> Cursor:
    """The cursor that was written so.

    Raises:
        NotACursor: it is none.
    """
    # Whoever changes a cursor gets other runs, and nothing else.
    if len(text) > CURSOR_MAX_CHARS or not text.isascii():
        raise NotACursor
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        told: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise NotACursor from None
    parts = cast("list[object]", told) if isinstance(told, list) else []
    texts = [part for part in parts if isinstance(part, str) and part.isascii()]
    if len(texts) != len(parts) or len(texts) != 2 or not "".join(texts).isprintable():
        raise NotACursor
    return Cursor(*texts)
