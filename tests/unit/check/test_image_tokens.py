"""Image tokens by the published formula, and the headers that tell an image's size."""

import base64
from typing import Any

import pytest

from tests.unit.check.builders import IMAGE_MODEL, a_file, a_message, an_example, options, scanned
from tests.unit.check.pictures import ENCODED, a_data_uri, a_jpeg, a_png, a_webp
from tunedrop_check.counting import image_tokens
from tunedrop_check.counting.image_tokens import ImageTokens
from tunedrop_check.formats import image_headers
from tunedrop_check.formats.image_headers import Encoded, Header


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1, 1, 255),
        (512, 512, 255),
        (513, 512, 425),
        (768, 768, 765),
        (1024, 1024, 765),
        (2048, 4096, 1105),
        (4096, 8192, 1105),
        (768, 2048, 1445),
        (2**31, 1, 765),
    ],
)
def test_image_tokens_are_the_formulas(width: int, height: int, expected: int) -> None:
    """The documentation's own examples, and the edges of a tile; either side may be the longer."""
    assert (
        image_tokens.tokens_of(width, height) == image_tokens.tokens_of(height, width) == expected
    )


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(a_png(640, 480), Header("png", 640, 480), id="PNG"),
        pytest.param(
            a_png(9, 7, colour=3), Header("png", 9, 7, coloured=False), id="PNG of a palette"
        ),
        pytest.param(a_png(9, 7)[:20], Header("png", 9, 0, coloured=False), id="PNG cut off"),
        pytest.param(a_jpeg(1920, 1080), Header("jpeg", 1920, 1080), id="JPEG"),
        pytest.param(
            a_jpeg(31, 17, before=[0xFFFD, 0xFFFD, 7]),
            Header("jpeg", 31, 17),
            id="JPEG behind its profile and thumbnail",
        ),
        pytest.param(
            a_jpeg(31, 17, components=1), Header("jpeg", 31, 17, coloured=False), id="JPEG in grey"
        ),
        pytest.param(
            a_jpeg(31, 17, components=4), Header("jpeg", 31, 17, coloured=False), id="JPEG in CMYK"
        ),
        pytest.param(a_jpeg(31, 17)[:12], Header("jpeg"), id="JPEG cut off"),
        pytest.param(
            b"\xff\xd8" + b"\xff\xe0\x00\x00" * 100_000,
            Header("jpeg"),
            id="JPEG of empty segments only",
        ),
        pytest.param(b"\xff\xd8" + b"\xff" * 2**20, Header("jpeg"), id="JPEG of filling only"),
        pytest.param(a_webp(550, 368, "VP8 "), Header("webp", 550, 368), id="WEBP, lossy"),
        pytest.param(a_webp(16383, 1, "VP8L"), Header("webp", 16383, 1), id="WEBP, lossless"),
        pytest.param(
            a_webp(400, 16777216, "VP8X"), Header("webp", 400, 16777216), id="WEBP, extended"
        ),
        pytest.param(a_webp(5, 5, "VP8 ")[:20], Header("webp"), id="WEBP cut off"),
        pytest.param(b"GIF89a" + bytes(40), None, id="GIF"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_header_tells_size_and_colours(image: bytes, expected: Header | None) -> None:
    """What the header says, zeros where it is damaged, None for another kind of file."""
    assert image_headers.header_of(Encoded(base64.b64encode(image).decode())) == expected


@pytest.mark.parametrize("kind", ENCODED)
def test_header_of_an_encoders_image_is_read(kind: str) -> None:
    """Whole images, as an encoder wrote them, are 3 by 2 pixels."""
    assert image_headers.header_of(Encoded(ENCODED[kind])) == Header(
        kind.removeprefix("image/"), 3, 2
    )


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_encoded_reads_any_bytes(size: int) -> None:
    """Each range is that of the decoded bytes."""
    content = bytes(range(23))
    text = Encoded(base64.b64encode(content).decode())
    assert [text.read(start, size) for start in range(25)] == [
        content[start : start + size] for start in range(25)
    ]


def a_picture(url: Any, **more: Any) -> dict[str, Any]:
    """An example whose question is one image."""
    image = {"type": "image_url", "image_url": {"url": url, **more}}
    return an_example(a_message("system"), a_message("user", [image]), a_message("assistant"))


def test_file_has_the_estimate_of_its_images() -> None:
    """Sizes that are known count by the formula, an address by the assumed size, low detail by its
    fixed figure.
    """
    embedded = a_picture(a_data_uri(a_png(512, 512)))
    address, low = (
        a_picture("https://example.com/a.png", detail="high"),
        a_picture("https://example.com/b.png", detail="low"),
    )
    found = scanned(
        a_file(embedded, address, low, an_example()), chosen=options(IMAGE_MODEL, "validation")
    )
    assert (found.images, found.errors) == (
        ImageTokens(images=3, assumed=1, tokens=255 + 765 + 85),
        0,
    )


def test_file_has_the_estimate_of_its_damaged_images_too() -> None:
    """An image that is refused for its address is still counted by the assumed size."""
    damaged = (
        a_picture(url)
        for url in ("data:image/png;base64,x", 7, "data:image/png;base64,\u00e9\u00e9\u00e9\u00e9")
    )
    found = scanned(a_file(*damaged), chosen=options(IMAGE_MODEL, "validation"))
    assert (found.images, found.counts["TD-DATA-404"]) == (
        ImageTokens(images=3, assumed=3, tokens=3 * 765),
        3,
    )
