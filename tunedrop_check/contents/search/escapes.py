"""Escapes of JSON that hide plain ASCII: `\\/`, and `\\u0041` for A.

They are undone without decoding, so that lines stay lines and broken JSON can be searched too.
"""

import re

_ASCII = re.compile(rb"\\u00([2-7][0-9a-fA-F])")


def plain(text: bytes) -> bytes:
    """The text with such escapes undone."""
    # Others stay, `\u000a` among them, so that the number of lines is the same.
    return _ASCII.sub(_character, text).replace(b"\\/", b"/")


def _character(escape: "re.Match[bytes]") -> bytes:
    return bytes.fromhex(escape[1].decode())
