"""Proofs of the rules of images, 4xx."""

from typing import Any

from tests.unit.check.builders import TEXT_MODEL, a_message, an_example
from tests.unit.check.pictures import a_data_uri, a_jpeg, a_png, a_webp
from tests.unit.check.proofs.cases import Example, Proof, bad, bad_image, good_image
from tunedrop_check.rules import format_rules

ASSISTANT = a_message("assistant")
PART, URL = "/messages/0/content/0", "/messages/0/content/0/image_url/url"
MAX_BYTES = 10 * 2**20
PADDED = a_png() + bytes(MAX_BYTES - len(a_png()))


def parts(*given: Any) -> dict[str, Any]:
    """An example whose question has these parts."""
    return an_example(a_message("user", list(given)), ASSISTANT)


def a_part(url: Any = "https://example.com/a.png", **more: Any) -> dict[str, Any]:
    """A part with one image."""
    return {"type": "image_url", "image_url": {"url": url, **more}}


TEXT = {"type": "text", "text": "What is this?"}
PRIVATE = (
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "http://169.254.169.254/metadata",
    "http://127.0.0.1/a.png",
    "http://10.1.2.3/a.png",
    "http://[::1]/a.png",
    "http://0x7f.1/a.png",
    "http://2130706433/a.png",
    "http://localhost/a.png",
    "https://vault.internal/a.png",
    "https://user:pass@example.com/a.png",
    "https://[/a.png",
    "//example.com/a.png",
    "javascript:alert(1)",
    "",
)

PROOFS = [
    Proof(
        format_rules.PART_SHAPE,
        bad={
            "a string": bad_image(parts("x"), PART),
            "a refusal in a question": bad_image(
                parts({"type": "refusal", "refusal": "No."}), PART
            ),
            "a refusal that is a number": bad_image(
                an_example(
                    a_message("user"), a_message("assistant", [{"type": "refusal", "refusal": 1}])
                ),
                "/messages/1/content/0",
            ),
            "audio": bad_image(parts({"type": "input_audio", "input_audio": {}}), PART),
            "no type": bad_image(parts({"text": "x"}), PART),
            "a text that is a number": bad_image(parts({"type": "text", "text": 1}), PART),
            "no image_url": bad_image(parts({"type": "image_url"}), PART),
            "image_url a string": bad_image(
                parts({"type": "image_url", "image_url": "https://example.com/a.png"}), PART
            ),
        },
        good={
            "texts": good_image(parts(TEXT, TEXT)),
            "a text and an image": good_image(parts(TEXT, a_part())),
            "a refusal in an answer": good_image(
                an_example(
                    a_message("user"),
                    a_message("assistant", [TEXT, {"type": "refusal", "refusal": "No."}]),
                )
            ),
        },
    ),
    Proof(
        format_rules.IMAGES_UNSUPPORTED,
        bad={
            "address": bad(parts(a_part()), PART),
            "embedded": bad(parts(TEXT, a_part(a_data_uri(a_png()))), "/messages/0/content/1"),
        },
        good={
            "texts as parts": Example(parts(TEXT), TEXT_MODEL),
            "an address in a text": Example(
                an_example(a_message("user", "https://example.com/a.png"), ASSISTANT), TEXT_MODEL
            ),
        },
    ),
    Proof(
        format_rules.IMAGE_ROLE,
        bad={
            role: bad_image(
                an_example(a_message("user"), a_message(role, [a_part()]), ASSISTANT),
                "/messages/1/content/0",
            )
            for role in ("assistant", "system")
        },
        good={
            "a question": good_image(parts(a_part())),
            "a later question": good_image(
                an_example(a_message("user"), ASSISTANT, a_message("user", [a_part()]), ASSISTANT)
            ),
        },
    ),
    Proof(
        format_rules.IMAGE_URL,
        bad={url or "nothing": bad_image(parts(a_part(url)), URL) for url in PRIVATE}
        | {
            "no base64": bad_image(parts(a_part("data:image/png;base64,???")), URL),
            "cut base64": bad_image(parts(a_part(a_data_uri(a_png())[:-1])), URL),
            "not base64 at all": bad_image(parts(a_part("data:image/png,abcd")), URL),
            "a number": bad_image(parts(a_part(7)), "/messages/0/content/0/image_url"),
            "none": bad_image(
                parts({"type": "image_url", "image_url": {}}), "/messages/0/content/0/image_url"
            ),
        },
        good={
            url: good_image(parts(a_part(url)))
            for url in (
                "https://example.com/a.png",
                "http://sub.example.co.uk:8080/a?b=c#d",
                "https://8.8.8.8/a.png",
                "HTTPS://EXAMPLE.COM/A.PNG",
            )
        },
    ),
    Proof(
        format_rules.IMAGE_DETAIL,
        bad={
            repr(detail): bad_image(
                parts(a_part(detail=detail)), "/messages/0/content/0/image_url/detail"
            )
            for detail in ("huge", "LOW", 1, None, ["low"])
        },
        good={
            detail: good_image(parts(a_part(detail=detail))) for detail in ("low", "high", "auto")
        },
    ),
    Proof(
        format_rules.IMAGE_FORMAT,
        bad={
            "GIF": bad_image(parts(a_part(a_data_uri(b"GIF89a" + bytes(30), "image/gif"))), URL),
            "SVG": bad_image(parts(a_part(a_data_uri(b"<svg/>", "image/svg+xml"))), URL),
            "GIF called PNG": bad_image(parts(a_part(a_data_uri(b"GIF89a" + bytes(30)))), URL),
            "JPEG called PNG": bad_image(parts(a_part(a_data_uri(a_jpeg()))), URL),
            "PNG of a palette": bad_image(parts(a_part(a_data_uri(a_png(colour=3)))), URL),
            "PNG in grey": bad_image(parts(a_part(a_data_uri(a_png(colour=0)))), URL),
            "JPEG in CMYK": bad_image(
                parts(a_part(a_data_uri(a_jpeg(components=4), "image/jpeg"))), URL
            ),
        },
        good={
            "PNG": good_image(parts(a_part(a_data_uri(a_png())))),
            "PNG with alpha": good_image(parts(a_part(a_data_uri(a_png(colour=6))))),
            "JPEG": good_image(parts(a_part(a_data_uri(a_jpeg(), "image/jpeg")))),
            "JPEG by its short name": good_image(parts(a_part(a_data_uri(a_jpeg(), "image/jpg")))),
            "JPEG whose header is far inside": good_image(
                parts(a_part(a_data_uri(a_jpeg(before=[65533] * 9), "image/jpeg")))
            ),
            "WEBP": good_image(parts(a_part(a_data_uri(a_webp(), "image/webp")))),
            "capitals": good_image(parts(a_part(a_data_uri(a_png(), "IMAGE/PNG")))),
        },
    ),
    Proof(
        format_rules.IMAGE_TOO_LARGE,
        bad={
            "one byte over": bad_image(parts(a_part(a_data_uri(PADDED + b"\0"))), URL),
            "three bytes over": bad_image(parts(a_part(a_data_uri(PADDED + bytes(3)))), URL),
        },
        good={
            "at the limit": good_image(parts(a_part(a_data_uri(PADDED)))),
            "one byte under": good_image(parts(a_part(a_data_uri(PADDED[:-1])))),
        },
    ),
    Proof(
        format_rules.TOO_MANY_IMAGES,
        bad={
            "65 in one message": bad_image(parts(*[a_part()] * 65), "/messages"),
            "65 in two": bad_image(
                an_example(
                    a_message("user", [a_part()] * 64),
                    ASSISTANT,
                    a_message("user", [a_part()]),
                    ASSISTANT,
                ),
                "/messages",
            ),
        },
        good={
            "64 in one message": good_image(parts(*[a_part()] * 64)),
            "64 and many texts": good_image(parts(*[a_part()] * 64, *[TEXT] * 64)),
        },
    ),
]
