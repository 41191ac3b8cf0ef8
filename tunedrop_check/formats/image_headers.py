"""Size and colours of an embedded image, read from its header without decoding it.

Sources: PNG specification 11.2.1 (IHDR); JPEG, ITU-T T.81 B.2.2 (frame header); WebP container
specification (VP8, VP8L, VP8X).
"""

import base64
from collections.abc import Callable

import msgspec

KINDS = ("jpeg", "png", "webp")

# The sizes of a PNG and of every kind of WebP end within it.
_HEAD_BYTES = 30
_PNG_COLOURS = (2, 6)  # RGB, RGBA
# The codes between them are tables.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {
    0xC4,
    0xC8,
    0xCC,
}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_JPEG_MAX_SEGMENTS = 512
_JPEG_COMPONENTS = 3


class Header(msgspec.Struct, frozen=True):
    """What a header says; width and height, in pixels, are 0 where it doesn't say."""

    kind: str
    width: int = 0
    height: int = 0
    # An image of unknown colours passes for coloured.
    coloured: bool = True


class Encoded:
    """Base64 text, well-formed, of which any bytes can be read without decoding the rest."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, start: int, size: int) -> bytes:
        """The bytes [start, start + size), as far as there are any."""
        first = start // 3
        groups = self._text[first * 4 : -(-(start + size) // 3) * 4]
        return base64.b64decode(groups)[start - first * 3 :][:size]


def header_of(image: Encoded) -> Header | None:
    """The header of a JPEG, PNG or WebP image; None where the first bytes are none of theirs."""
    head = image.read(0, _HEAD_BYTES)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(head)
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(image)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head)
    return None


def _png(head: bytes) -> Header:
    coloured = len(head) > 25 and head[25] in _PNG_COLOURS
    return Header(
        "png", int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big"), coloured
    )


def _jpeg(image: Encoded) -> Header:
    """Goes from segment to segment up to the frame's header, past thumbnails and colour profiles of
    any size.
    """
    place = 2
    for _ in range(_JPEG_MAX_SEGMENTS):
        segment = image.read(place, 10)
        if len(segment) < 10 or segment[0] != 0xFF:
            break
        marker = segment[1]
        if marker in _JPEG_FRAMES:
            width, height = int.from_bytes(segment[7:9], "big"), int.from_bytes(segment[5:7], "big")
            return Header("jpeg", width, height, segment[9] == _JPEG_COMPONENTS)
        place += (
            1
            if marker == 0xFF
            else 2
            if marker in _JPEG_ALONE
            else 2 + int.from_bytes(segment[2:4], "big")
        )
    return Header("jpeg")


def _webp(head: bytes) -> Header:
    reader = _WEBP.get(head[12:16])
    if reader is None or len(head) < _HEAD_BYTES:
        return Header("webp")
    width, height = reader(head)
    return Header("webp", width, height)


def _webp_lossy(head: bytes) -> tuple[int, int]:
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(
        head[28:30], "little"
    ) & 0x3FFF


def _webp_lossless(head: bytes) -> tuple[int, int]:
    bits = int.from_bytes(head[21:25], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _webp_extended(head: bytes) -> tuple[int, int]:
    return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1


_WEBP: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8 ": _webp_lossy,
    b"VP8L": _webp_lossless,
    b"VP8X": _webp_extended,
}
