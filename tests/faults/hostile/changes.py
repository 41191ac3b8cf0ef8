"""Ways to change the bytes of a sound answer, of which `misbehaviours.py` makes its tables."""

import gzip
import json
import uuid
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.hostile.sound import Sound, sent
from tests.unit.adapters.misbehaving import Asked

type Misbehaving = Callable[[Asked, Sound], None]
# What the app signs its questions with.
KEY = "k3y-that-nobody-may-read-0123456789abcdef"
LEAK = f"api-key: {KEY} Authorization: Bearer {KEY}"
MEGABYTE = b" " * 2**20


def changed(change: Callable[[Sound], Sound]) -> Misbehaving:
    """The sound answer, changed in its parts."""

    def answering(asked: Asked, sound: Sound) -> None:
        # An answer to HEAD has no body to be strange.
        asked.send(sent(change(sound)) if asked.method != "HEAD" else sent(sound))

    return answering


def mangled(change: Callable[[bytes], bytes], *, closes: bool = True) -> Misbehaving:
    """The sound answer, changed in its bytes; the connection closes after it."""

    def answering(asked: Asked, sound: Sound) -> None:
        asked.send(change(sent(sound)))
        if closes:
            asked.close()

    return answering


def headed(**headers: str) -> Misbehaving:
    """The sound answer with these headers; an underscore in a name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def change(sound: Sound) -> Sound:
        kept = {
            name: value
            for name, value in sound.headers.items()
            if name.lower() not in {key.lower() for key in named}
        }
        return replace(sound, headers=kept | named)

    return lambda asked, sound: asked.send(sent(change(sound)))


def bodied(body: bytes, **headers: str) -> Misbehaving:
    """The sound answer with this body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return changed(
        lambda sound: replace(
            sound,
            body=body,
            headers={n: v for n, v in sound.headers.items() if n != "Content-Length"} | named,
        )
    )


def refused(status: int, body: bytes = b"", **headers: str) -> Misbehaving:
    """No answer but a status, with this body."""
    named = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return lambda asked, _sound: asked.send(sent(Sound(status, named, body)))


def redirected(to: Callable[[Asked], str], status: int = 307) -> Misbehaving:
    """An answer that sends the caller elsewhere."""
    return lambda asked, _sound: asked.send(sent(Sound(status, {"Location": to(asked)})))


def dripped(start: Callable[[Sound], bytes], drop: bytes = b" ") -> Misbehaving:
    """So much at once, then a drop every twentieth of a second, for ever."""

    def answering(asked: Asked, sound: Sound) -> None:
        asked.send(start(sound))
        while not asked.service.over.wait(0.05):
            asked.send(drop)

    return answering


def repeated(start: Callable[[Sound], bytes], piece: bytes) -> Misbehaving:
    """So much, then the same piece as fast as it is taken, for ever."""

    def answering(asked: Asked, sound: Sound) -> None:
        asked.send(start(sound))
        while not asked.service.over.is_set():
            asked.send(piece)

    return answering


def silent(start: Callable[[Sound], bytes] = lambda _sound: b"") -> Misbehaving:
    """So much, and then nothing more."""

    def answering(asked: Asked, sound: Sound) -> None:
        asked.send(start(sound))
        asked.service.over.wait()

    return answering


def closes(asked: Asked, _sound: Sound) -> None:
    asked.close()


def resets(asked: Asked, sound: Sound) -> None:
    asked.send(sent(sound)[:20])
    asked.reset()


def head_of(sound: Sound, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sent(
        replace(
            sound,
            body=b"",
            headers={n: v for n, v in sound.headers.items() if n != "Content-Length"} | named,
        )
    )


def bomb() -> bytes:
    packing = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(
        [
            packing.compress(b'{"id": "'),
            *(packing.compress(MEGABYTE) for _ in range(256)),
            packing.compress(b'"}'),
            packing.flush(),
        ]
    )


def chunked(sound: Sound) -> bytes:
    return head_of(sound, Content_Length="", Transfer_Encoding="chunked")


def without_length(sound: Sound) -> bytes:
    return head_of(sound, Content_Length="", Connection="close")


def cut_gzip(sound: Sound) -> Sound:
    return replace(
        sound,
        body=gzip.compress(sound.body)[:-6],
        headers=but_length(sound) | {"Content-Encoding": "gzip"},
    )


def but_length(sound: Sound) -> dict[str, str]:
    return {name: value for name, value in sound.headers.items() if name != "Content-Length"}


def as_chunks(whole: bytes, chunks: bytes) -> bytes:
    lines = [
        line
        for line in whole.partition(b"\r\n\r\n")[0].split(b"\r\n")
        if not line.lower().startswith(b"content-length")
    ]
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b""]) + chunks


def paged(more: Callable[[Asked, Any], Any], marker: Callable[[Asked], bytes]) -> Misbehaving:
    """Listings whose pages go on as this says: of JSON with more fields, of blobs with another
    marker. Other answers stay sound.
    """

    def answering(asked: Asked, sound: Sound) -> None:
        if set(sound.told or ()) & {"data", "value"}:
            sound = replace(sound, body=json.dumps(sound.told | more(asked, sound.told)).encode())
        asked.send(
            sent(
                replace(
                    sound,
                    body=sound.body.replace(
                        b"<NextMarker/>", b"<NextMarker>" + marker(asked) + b"</NextMarker>"
                    ),
                )
            )
        )

    return answering


def fresh(told: Any) -> dict[str, Any]:
    """The page again, with ids that were never seen."""
    return {"data": [one | {"id": f"id-{uuid.uuid4()}"} for one in told.get("data", [])]}


def emptied(told: Any) -> dict[str, Any]:
    """The page with nothing on it."""
    return {"data" if "data" in told else "value": []}


def next_of(asked: Asked) -> str:
    return f"{asked.service.base}{asked.target.partition('?')[0]}?page={uuid.uuid4()}"
