"""The rules of content parts and images in one example. Only what the line itself tells is checked:
an address is not fetched.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from ..models.base_models import KnownModel
from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import image_headers

# Limits of the service for an example and an image: guide on fine-tuning with vision.
MAX_IMAGES = 64
MAX_IMAGE_BYTES = 10 * 2**20
DETAILS = ("low", "high", "auto")

_DATA_URI = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_KINDS = {"image/jpeg": "jpeg", "image/jpg": "jpeg", "image/png": "png", "image/webp": "webp"}
_PRIVATE_HOSTS = (".local", ".internal", ".localhost", ".lan")


def images_in(messages: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """The parts of these messages that say that they are images."""
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            for part in content:
                if isinstance(part, dict) and part.get("type") == "image_url":
                    yield part


def detail_of(part: JsonObject) -> str:
    """The detail that an image asks for; auto where it asks for none."""
    image = part.get("image_url")
    detail = image.get("detail") if isinstance(image, dict) else None
    return detail if isinstance(detail, str) and detail in DETAILS else "auto"


def size_of(part: JsonObject) -> tuple[int, int]:
    """Width and height, in pixels, of an embedded image; zeros where they can't be told."""
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    header = _DATA_URI.match(url) if isinstance(url, str) else None
    if not isinstance(url, str) or header is None:
        return 0, 0
    try:
        seen = image_headers.header_of(image_headers.Encoded(url[header.end() :]))
    except ValueError:
        return 0, 0  # no base64
    return (seen.width, seen.height) if seen else (0, 0)


def check_number(messages: Iterable[JsonObject], place: str = "/messages") -> Iterator[Finding]:
    """Too many images in one example."""
    number = sum(1 for _ in images_in(messages))
    if number > MAX_IMAGES:
        yield finding(
            format_rules.TOO_MANY_IMAGES,
            place,
            f"The example has {number} images; at most {MAX_IMAGES} are allowed.",
        )


def check_parts(place: str, parts: list[Json], role: str, model: KnownModel) -> Iterator[Finding]:
    """What is wrong with the parts of one content: texts, images of a question, refusals of an
    answer.
    """
    for index, part in enumerate(parts):
        if isinstance(part, dict) and part.get("type") == "image_url":
            yield from _image(f"{place}/{index}", part, role, model)
        elif not _is_text(part, role):
            yield finding(format_rules.PART_SHAPE, f"{place}/{index}")


def _is_text(part: Json, role: str) -> bool:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not (
        kind == "text" or (kind == "refusal" and role == "assistant")
    ):
        return False
    return isinstance(part.get(str(kind)), str)


def _image(place: str, part: JsonObject, role: str, model: KnownModel) -> Iterator[Finding]:
    if not model.images:
        yield finding(format_rules.IMAGES_UNSUPPORTED, place)
    if role != "user":
        yield finding(format_rules.IMAGE_ROLE, place)
    image = part.get("image_url")
    if not isinstance(image, dict):
        yield finding(format_rules.PART_SHAPE, place)
        return
    if "detail" in image and image["detail"] not in DETAILS:
        yield finding(format_rules.IMAGE_DETAIL, f"{place}/image_url/detail")
    url = image.get("url")
    if not isinstance(url, str):
        yield finding(format_rules.IMAGE_URL, f"{place}/image_url")
    else:
        yield from _address(f"{place}/image_url/url", url)


def _address(place: str, url: str) -> Iterator[Finding]:
    header = _DATA_URI.match(url)
    if header is None:
        if not _is_public(url):
            yield finding(format_rules.IMAGE_URL, place)
        return
    content = url[header.end() :]
    if not _BASE64.fullmatch(content) or len(content) % 4:
        yield finding(format_rules.IMAGE_URL, place)
        return
    # A JPEG whose header isn't found and a WEBP, which is always RGB or RGBA, are taken as they
    # come.
    size = len(content) // 4 * 3 - content[-2:].count("=")
    if size > MAX_IMAGE_BYTES:
        yield finding(
            format_rules.IMAGE_TOO_LARGE,
            place,
            f"The image has {size} bytes; at most {MAX_IMAGE_BYTES} are allowed.",
        )
    seen = image_headers.header_of(image_headers.Encoded(content))
    if seen is None or seen.kind != _KINDS.get(header[1].lower()) or not seen.coloured:
        yield finding(format_rules.IMAGE_FORMAT, place)


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
        return (
            "." in host.rstrip(".")
            and not host.rstrip(".").endswith(_PRIVATE_HOSTS)
            and not _is_number(host)
        )


def _is_number(host: str) -> bool:
    # Resolvers read 0x7f.1 and 127.1 as addresses, too.
    return all(re.fullmatch(r"0x[0-9a-f]*|[0-9]+", label) for label in host.rstrip(".").split("."))
