"""A multipart/form-data reader in bounded memory: files go to disk."""

import re
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

from tunedrop.emulator.call import Form, Upload
from tunedrop.emulator.openai import errors
from tunedrop.emulator.refusal import Refusal

_MEMORY_BYTES = 2**20
_FIELD_MAX_BYTES = 2**16


def _malformed() -> Refusal:
    return errors.invalid("The multipart body is malformed.")


def boundary_of(content_type: str) -> bytes:
    """The boundary that a content type names; refuses one that is no multipart form."""
    found = re.fullmatch(
        r'multipart/form-data\s*;.*?boundary="?([^";]{1,70})"?.*',
        content_type,
        re.IGNORECASE | re.DOTALL,
    )
    if found is None:
        raise errors.invalid("The body is multipart/form-data with a boundary.")
    return found[1].encode("latin-1")


class _Reader:
    """A stream with a pushed-back rest, read up to delimiters."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._rest = b"\r\n"

    async def _more(self) -> None:
        async for chunk in self._stream:
            if chunk:
                self._rest += chunk
                return
        raise _malformed()

    async def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self._rest) < size:
            await self._more()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    async def until(self, delimiter: bytes) -> AsyncIterator[bytes]:
        """Pieces up to a delimiter, which is swallowed."""
        while (at := self._rest.find(delimiter)) < 0:
            safe = len(self._rest) - len(delimiter) + 1
            if safe > 0:
                piece, self._rest = self._rest[:safe], self._rest[safe:]
                yield piece
            await self._more()
        piece, self._rest = self._rest[:at], self._rest[at + len(delimiter) :]
        yield piece

    async def short(self, delimiter: bytes) -> bytes:
        """What stands before a delimiter, where that must be little."""
        found = b""
        async for piece in self.until(delimiter):
            found += piece
            if len(found) > _FIELD_MAX_BYTES:
                raise _malformed()
        return found


async def read(stream: AsyncIterator[bytes], content_type: str, max_bytes: int) -> Form:
    """The form; refuses malformed ones and a file above `max_bytes`."""
    reader, form = _Reader(stream), Form()
    delimiter = b"\r\n--" + boundary_of(content_type)
    await reader.short(delimiter)
    while (await reader.take(2)) == b"\r\n":
        headers = _headers(b"\r\n" + await reader.short(b"\r\n\r\n"))
        name, filename = _names(headers.get("content-disposition", ""))
        if filename is None:
            form.fields[name] = (await reader.short(delimiter)).decode("utf-8", "replace")
        else:
            form.files[name] = await _file(
                # The content type as it was sent, not guessed: the service refuses a file part
                # without one.
                reader.until(delimiter),
                filename,
                headers.get("content-type", ""),
                max_bytes,
            )
    return form


async def _file(
    pieces: AsyncIterator[bytes], filename: str, content_type: str, max_bytes: int
) -> Upload:
    file = SpooledTemporaryFile[bytes](max_size=_MEMORY_BYTES)
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise errors.invalid(f"The file is larger than {max_bytes} bytes.", "file")
        file.write(piece)
    return Upload(filename, content_type, size, file)


def _headers(block: bytes) -> dict[str, str]:
    pairs = (
        line.split(":", 1) for line in block.decode("utf-8", "replace").split("\r\n") if ":" in line
    )
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _names(disposition: str) -> tuple[str, str | None]:
    name = re.search(r'[;\s]name="([^"]*)"', disposition)
    filename = re.search(r'[;\s]filename="([^"]*)"', disposition)
    if name is None:
        raise _malformed()
    return name[1], filename[1] if filename else None
