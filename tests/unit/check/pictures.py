"""Images in as few bytes as tell their kind, size and colours."""

import base64
import struct
from collections.abc import Sequence
from typing import Literal


def a_png(width: int = 8, height: int = 8, colour: int = 2) -> bytes:
    """A PNG up to its header; colour 2 is RGB, 3 a palette, 6 RGBA."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I4sIIBB3xI", 13, b"IHDR", width, height, 8, colour, 0)
        + bytes(8)
    )


def a_jpeg(
    width: int = 8, height: int = 8, components: int = 3, before: Sequence[int] = (14,)
) -> bytes:
    """A JPEG up to its frame header; `before` are the lengths of the segments ahead of it."""
    segments = b"".join(
        struct.pack(">BBH", 0xFF, 0xE1, length + 2) + bytes(length) for length in before
    )
    return (
        b"\xff\xd8"
        + segments
        + struct.pack(">BBHBHHB", 0xFF, 0xC2, 11, 8, height, width, components)
        + bytes(8)
    )


def a_webp(
    width: int = 8, height: int = 8, chunk: Literal["VP8 ", "VP8L", "VP8X"] = "VP8 "
) -> bytes:
    """A WEBP up to its size, in one of the three ways to write it."""
    match chunk:
        case "VP8 ":
            body = b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)
        case "VP8L":
            body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(5)
        case "VP8X":
            body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return (
        b"RIFF\x00\x00\x00\x00WEBP"
        + chunk.encode()
        + struct.pack("<I", len(body))
        + body
        + bytes(8)
    )


def a_data_uri(image: bytes, kind: str = "image/png") -> str:
    """An image as it is embedded in a line."""
    return f"data:{kind};base64,{base64.b64encode(image).decode()}"


# Whole images of 3 by 2 pixels as an encoder wrote them (Pillow 12), by their kind.
ENCODED = {
    "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAFUlEQVR4nGOcmWbMwMDAwMDAxAADABYmATZazWmVAAAAAElFTkSuQmCC",
    "image/jpeg": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////"
    "////2wBDAf//////////////////////////////////////////////////////////////////////////////////////wAARCAACAAMDASIAAhEBAxEB/8QAFQAB"
    "AQAAAAAAAAAAAAAAAAAAAAH/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAf/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/"
    "AIAC/9k=",
    "image/webp": "UklGRlQAAABXRUJQVlA4WAoAAAAIAAAAAgAAAQAAVlA4ICAAAABwAQCdASoDAAIADMDOJaACdAFAAAD+lww0afgE3YGAAEVYSUYOAAAASUkqAAgAAAAA"
    "AAAAAAA=",
}
