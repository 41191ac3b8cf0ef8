"""The multipart reader."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.emulator import multipart
from tunedrop.emulator.call import Form
from tunedrop.emulator.refusal import Refusal

KIND = 'multipart/form-data; boundary="b-1"'


def form_of(content: bytes) -> bytes:
    """A body with a purpose and a file."""
    purpose = b'--b-1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    file = (
        b'--b-1\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n'
        b"Content-Type: text/plain\r\n\r\n"
    )
    return purpose + file + content + b"\r\n--b-1--\r\n"


def read(body: bytes, size: int = 7, max_bytes: int = 10_000) -> Form:
    """A form read from chunks of a size."""

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return asyncio.run(multipart.read(stream(), KIND, max_bytes))


@given(st.binary(max_size=200), st.integers(1, 80))
def test_form_is_read_wherever_the_stream_is_cut(content: bytes, size: int) -> None:
    """Fields and content come out whole, whatever the chunks and the bytes."""
    if b"\r\n--b-1" in b"\r\n" + content:
        return
    form = read(form_of(content), size)
    upload = form.files["file"]
    assert form.fields == {"purpose": "fine-tune"}
    assert (upload.filename, upload.content_type, upload.size, b"".join(upload.chunks(3))) == (
        "a.jsonl",
        "text/plain",
        len(content),
        content,
    )


def test_content_that_looks_like_a_boundary_is_content() -> None:
    """Beginnings of the delimiter inside a file stay in it."""
    content = b"\r\n--b-\r\n--b\r\r\n--b- 1\r\n"
    assert b"".join(read(form_of(content), 5).files["file"].chunks()) == content


@pytest.mark.parametrize("cut", range(0, 190, 10))
def test_form_is_refused_when_it_breaks_off(cut: int) -> None:
    """A body without its end is a refusal."""
    with pytest.raises(Refusal):
        read(form_of(b"x" * 10)[:cut])


def test_file_is_refused_above_its_limit() -> None:
    """The limit strikes while reading, not after."""
    with pytest.raises(Refusal, match="larger than 100 bytes"):
        read(form_of(b"x" * 101), max_bytes=100)


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_content_type_without_a_boundary_is_refused(kind: str) -> None:
    """No boundary, no form."""
    with pytest.raises(Refusal):
        multipart.boundary_of(kind)
