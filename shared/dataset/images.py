"""The rules of content parts and images in one example.

Only what the line itself tells is checked: an address is not fetched, an embedded image is looked at by its first bytes. Of the
colour modes, PNG's alone are read; JPEG and WEBP are taken as they come.
"""

import base64
import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from . import rules
from .findings import Finding, finding
from .models import BaseModel
from .shapes import Json, JsonObject

MAX_IMAGES = 64
MAX_IMAGE_BYTES = 10 * 2**20
DETAILS = ("low", "high", "auto")

_DATA_URI = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_HEAD_CHARS = 36  # 27 bytes: enough for PNG's colour type
_PNG_COLOURS = (2, 6)  # RGB, RGBA
_PRIVATE_HOSTS = (".local", ".internal", ".localhost", ".lan")


def is_image(part: Json) -> bool:
    """Whether a content part says that it is an image."""
    return isinstance(part, dict) and part.get("type") == "image_url"


def has_images(messages: Json) -> bool:
    """Whether any message carries an image."""
    return isinstance(messages, list) and any(True for _ in _images(messages))


def check_number(messages: list[Json]) -> Iterator[Finding]:
    """Too many images in one example."""
    number = sum(1 for _ in _images(messages))
    if number > MAX_IMAGES:
        yield finding(rules.TOO_MANY_IMAGES, "/messages", f"The example has {number} images; {MAX_IMAGES} are allowed.")


def check_parts(place: str, parts: list[Json], role: str, model: BaseModel) -> Iterator[Finding]:
    """Everything that is wrong with the parts of one content."""
    for index, part in enumerate(parts):
        if isinstance(part, dict) and part.get("type") == "image_url":
            yield from _image(f"{place}/{index}", part, role, model)
        elif not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            yield finding(rules.PART_SHAPE, f"{place}/{index}")


def _images(messages: list[Json]) -> Iterator[Json]:
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            yield from filter(is_image, content)


def _image(place: str, part: JsonObject, role: str, model: BaseModel) -> Iterator[Finding]:
    if not model.images:
        yield finding(rules.IMAGES_UNSUPPORTED, place)
    if role != "user":
        yield finding(rules.IMAGE_ROLE, place)
    image = part.get("image_url")
    if not isinstance(image, dict):
        yield finding(rules.PART_SHAPE, place)
        return
    if "detail" in image and image["detail"] not in DETAILS:
        yield finding(rules.IMAGE_DETAIL, f"{place}/image_url/detail")
    url = image.get("url")
    if not isinstance(url, str):
        yield finding(rules.IMAGE_URL, f"{place}/image_url")
    else:
        yield from _address(f"{place}/image_url/url", url)


def _address(place: str, url: str) -> Iterator[Finding]:
    header = _DATA_URI.match(url)
    if header is None:
        if not _is_public(url):
            yield finding(rules.IMAGE_URL, place)
        return
    content = url[header.end() :]
    if not _BASE64.fullmatch(content) or len(content) % 4:
        yield finding(rules.IMAGE_URL, place)
        return
    size = len(content) // 4 * 3 - content[-2:].count("=")
    if size > MAX_IMAGE_BYTES:
        yield finding(rules.IMAGE_TOO_LARGE, place, f"The image has {size} bytes; {MAX_IMAGE_BYTES} are allowed.")
    if not _is_kind(header[1].lower(), base64.b64decode(content[:_HEAD_CHARS])):
        yield finding(rules.IMAGE_FORMAT, place)


def _is_kind(kind: str, head: bytes) -> bool:
    match kind:
        case "image/jpeg" | "image/jpg":
            return head.startswith(b"\xff\xd8\xff")
        case "image/png":
            return head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) > 25 and head[25] in _PNG_COLOURS
        case "image/webp":
            return head.startswith(b"RIFF") and head[8:12] == b"WEBP"
        case _:
            return False


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.rstrip(".") and not host.rstrip(".").endswith(_PRIVATE_HOSTS) and not _is_number(host)


def _is_number(host: str) -> bool:
    # Resolvers read 0x7f.1 and 127.1 as addresses, too.
    return all(re.fullmatch(r"0x[0-9a-f]*|[0-9]+", label) for label in host.rstrip(".").split("."))
