"""What a service can do wrong with the bytes of an answer: each a change of the sound one."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.faults.hostile.sound import Sound, sent
from tests.unit.adapters.misbehaving import Asked

type Misbehaving = Callable[[Asked, Sound], None]
KEY = "k3y-that-nobody-may-read-0123456789abcdef"
"""What the app signs its questions with."""
LEAK = f"api-key: {KEY} Authorization: Bearer {KEY}"
MEGABYTE = b" " * 2**20


def changed(change: Callable[[Sound], Sound]) -> Misbehaving:
    """The sound answer, changed in its parts."""

    def answering(asked: Asked, sound: Sound) -> None:
        asked.send(sent(change(sound)) if asked.method != "HEAD" else sent(sound))  # an answer to HEAD has no body to be strange

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
        kept = {name: value for name, value in sound.headers.items() if name.lower() not in {key.lower() for key in named}}
        return replace(sound, headers=kept | named)

    return lambda asked, sound: asked.send(sent(change(sound)))


def bodied(body: bytes, **headers: str) -> Misbehaving:
    """The sound answer with this body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return changed(
        lambda sound: replace(sound, body=body, headers={n: v for n, v in sound.headers.items() if n != "Content-Length"} | named)
    )


def refused(status: int, body: bytes = b"", **headers: str) -> Misbehaving:
    """No answer but a status, with this body."""
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
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


def _closes(asked: Asked, _sound: Sound) -> None:
    asked.close()


def _resets(asked: Asked, sound: Sound) -> None:
    asked.send(sent(sound)[:20])
    asked.reset()


def _head(sound: Sound, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sent(replace(sound, body=b"", headers={n: v for n, v in sound.headers.items() if n != "Content-Length"} | named))


def _bomb() -> bytes:
    packing = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(
        [packing.compress(b'{"id": "'), *(packing.compress(MEGABYTE) for _ in range(256)), packing.compress(b'"}'), packing.flush()]
    )


def _chunked(sound: Sound) -> bytes:
    return _head(sound, Content_Length="", Transfer_Encoding="chunked")


def _without_length(sound: Sound) -> bytes:
    return _head(sound, Content_Length="", Connection="close")


def _packed(sound: Sound) -> Sound:
    return replace(sound, body=gzip.compress(sound.body)[:-6], headers=_but_length(sound) | {"Content-Encoding": "gzip"})


def _but_length(sound: Sound) -> dict[str, str]:
    return {name: value for name, value in sound.headers.items() if name != "Content-Length"}


BROKEN: dict[str, Misbehaving] = {
    "closes at once": _closes,
    "resets": _resets,
    "half a status line": mangled(lambda whole: whole[:9]),
    "closes in the headers": mangled(lambda whole: whole[:30]),
    "closes in the body": mangled(lambda whole: whole[: -max(1, (len(whole) - whole.index(b"\r\n\r\n")) // 2)]),
    "another protocol": mangled(lambda _whole: b"SSH-2.0-OpenSSH_9.2\r\n"),
    "bytes without a meaning": mangled(lambda _whole: bytes(range(256)) * 4),
    "a body without a head": mangled(lambda whole: whole.partition(b"\r\n\r\n")[2] or b"{}"),
    "a status of four digits": mangled(lambda whole: whole.replace(b" 20", b" 200", 1)),
    "a status in letters": mangled(lambda whole: b"HTTP/1.1 abc\r\n" + whole.partition(b"\r\n")[2]),
    "a status of 999": changed(lambda sound: replace(sound, status=999)),
    "a status of 600": refused(600, b"{}"),
    "a negative status": mangled(lambda whole: b"HTTP/1.1 -200 OK\r\n" + whole.partition(b"\r\n")[2]),
    "a version of another time": mangled(lambda whole: whole.replace(b"HTTP/1.1", b"HTTP/9.9", 1)),
    "headers without colons": mangled(lambda whole: whole.replace(b"\r\n", b"\r\nno colon here\r\n", 1)),
    "a header of another line": mangled(lambda whole: whole.replace(b"\r\n", b"\r\n folded: x\r\n", 1)),
    "headers of other bytes": mangled(lambda whole: whole.replace(b"\r\n", b"\r\nX-Odd: \xff\xfe\x00\x01\r\n", 1)),
    "lengths that differ": mangled(lambda whole: whole.replace(b"\r\n", b"\r\nContent-Length: 1\r\n", 1)),
    "a negative length": headed(Content_Length="-1"),
    "a length in words": headed(Content_Length="many"),
    "a length of 400 digits": headed(Content_Length="9" * 400),
    "a length and chunks": mangled(lambda whole: whole.replace(b"\r\n", b"\r\nTransfer-Encoding: chunked\r\n", 1)),
    "an encoding of transfer that isn't one": mangled(lambda whole: whole.replace(b"\r\n", b"\r\nTransfer-Encoding: klingon\r\n", 1)),
    "chunks without a size": mangled(lambda whole: _as_chunks(whole, b"zz\r\n{}\r\n0\r\n\r\n")),
    "a chunk of negative size": mangled(lambda whole: _as_chunks(whole, b"-5\r\n{}\r\n0\r\n\r\n")),
    "chunks without an end": mangled(lambda whole: _as_chunks(whole, b"2\r\n{}\r\n")),
    "a chunk cut off": mangled(lambda whole: _as_chunks(whole, b"ff\r\n{}")),
}
"""No whole answer comes, or none that means one thing."""


def _as_chunks(whole: bytes, chunks: bytes) -> bytes:
    lines = [line for line in whole.partition(b"\r\n\r\n")[0].split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b""]) + chunks


ENDLESS: dict[str, Misbehaving] = {
    "silence": silent(),
    "silence in the body": silent(lambda sound: _head(sound, Content_Length="100000")),
    "a status line in drips": dripped(lambda _sound: b"HTTP/1.1 200"),
    "headers in drips": dripped(lambda sound: sent(sound)[:17] + b"\r\nX-Slow:"),
    "a header a drip": dripped(lambda _sound: b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
    "a body in drips": dripped(lambda sound: _head(sound, Content_Length="100000")),
    "chunks in drips": dripped(_chunked, b"1\r\n \r\n"),
    "a chunk's size in drips": dripped(_chunked, b"0"),
    "other answers first, for ever": repeated(lambda _sound: b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body without an end": repeated(_without_length, MEGABYTE),
    "chunks for ever": repeated(_chunked, b"100000\r\n" + MEGABYTE + b"\r\n"),
    "a chunk's size for ever": repeated(_chunked, b"0" * 2**16),
    "a header without an end": repeated(lambda _sound: b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 2**16),
    "headers for ever": repeated(lambda _sound: b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n" * 2**10),
    "trailers for ever": repeated(lambda sound: _chunked(sound) + b"0\r\n", b"X-More: 1\r\n" * 2**10),
    "a bomb": bodied(_bomb(), Content_Encoding="gzip"),
    "a bomb in a refusal": refused(400, _bomb(), Content_Encoding="gzip"),
    "a bomb in a failure": refused(503, _bomb(), Content_Encoding="gzip"),
    "a length of a terabyte": silent(lambda sound: _head(sound, Content_Length=str(2**40))),
}
"""What has no end, or is far too much."""

PACKED: dict[str, Misbehaving] = {
    "gzip that is none": headed(Content_Encoding="gzip"),
    "gzip cut off": changed(_packed),
    "gzip twice": headed(Content_Encoding="gzip, gzip"),
    "an encoding that nobody asked for": headed(Content_Encoding="br"),
    "an encoding that isn't one": headed(Content_Encoding="klingon"),
}
TYPED: dict[str, Misbehaving] = {
    "a length too short": headed(Content_Length="3"),
    "a page for people": headed(Content_Type="text/html"),
    "no type": headed(Content_Type=""),
    "a picture": headed(Content_Type="image/png"),
    "letters that aren't ones": headed(Content_Type="application/json; charset=klingon"),
    "letters of two bytes": headed(Content_Type="application/json; charset=utf-16"),
    "a type of 60 kB": headed(Content_Type="a/" + "b" * 60_000),
}
BODIED: dict[str, Misbehaving] = {
    "nothing": bodied(b""),
    "half of it": changed(lambda sound: replace(sound, body=sound.body[: len(sound.body) // 2], headers=_but_length(sound))),
    "it twice": changed(lambda sound: replace(sound, body=sound.body * 2, headers=_but_length(sound))),
    "a web page": bodied(b"<html><script>alert(1)</script></html>", Content_Type="text/html"),
    "null": bodied(b"null"),
    "a text": bodied(b'"text"'),
    "a number": bodied(b"5"),
    "yes": bodied(b"true"),
    "a list": bodied(b"[]"),
    "a list of texts": bodied(b'["a"]'),
    "an empty object": bodied(b"{}"),
    "not a number": bodied(b'{"id": NaN, "created_at": NaN, "value": NaN, "data": NaN}'),
    "infinity": bodied(b'{"id": "x", "created_at": 1e999, "value": 1e999, "data": -1e999}'),
    "5,000 digits": bodied(b'{"created_at": ' + b"9" * 5_000 + b"}"),
    "a name twice": bodied(b'{"id": "a", "id": "b", "value": [], "value": [{}], "data": [], "data": [{}]}'),
    "deep lists": bodied(b"[" * 100_000),
    "deep objects": bodied(b'{"data":' * 20_000),
    "deep lists that close": bodied(b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "no UTF-8": bodied(b'{"id": "\xff\xfe", "name": "\xc3\x28"}'),
    "UTF-16": bodied('{"id": "x"}'.encode("utf-16")),
    "half a character": bodied(b'{"id": "\\ud800", "name": "\\udfff", "location": "\\ud800", "model": "\\ud800"}'),
    "zeros": bodied(b"\0" * 1_000),
    "entities in entities": bodied(
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "'
        + b"x" * 1000
        + b'">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(8))
        + b"]><EnumerationResults>&i;</EnumerationResults>",
        Content_Type="application/xml",
    ),
    "a file of this machine": bodied(
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><EnumerationResults><Blobs><Blob><Name>&b;</Name></Blob>'
        b"</Blobs></EnumerationResults>",
        Content_Type="application/xml",
    ),
    "deep elements": bodied(b"<a>" * 50_000, Content_Type="application/xml"),
}

ERROR = (
    b'{"error": {"code": "'
    + b"x\\u0000<b>" * 40_000
    + b'", "message": "'
    + LEAK.encode()
    + b"<script>\\u0000\\n" * 10_000
    + b'", "param": [1]}}'
)
STATUSES = (
    400,
    401,
    403,
    405,
    406,
    408,
    409,
    410,
    411,
    412,
    413,
    414,
    415,
    416,
    417,
    422,
    423,
    424,
    429,
    431,
    451,
    500,
    501,
    502,
    503,
    504,
    507,
    599,
)
REFUSED: dict[str, Misbehaving] = (
    {f"{status} and nothing": refused(status) for status in STATUSES}
    | {
        f"{status} and a page": refused(status, b"<html>" + LEAK.encode(), Content_Type="text/html")
        for status in (400, 403, 409, 429, 500, 503)
    }
    | {f"{status} and words without end": refused(status, ERROR) for status in (400, 401, 403, 409, 412, 429, 500, 503)}
    | {
        "400 and strange fields": refused(400, b'{"error": {"code": {"a": [1]}, "message": 5, "innererror": "x"}}'),
        "400 and an error that is text": refused(400, b'{"error": "' + LEAK.encode() + b'"}'),
        "400 and an error that is a list": refused(400, b'{"error": [{"code": 1}]}'),
        "400 and deep lists": refused(400, b'{"error":' * 20_000),
        "400 and a code of storage": refused(400, b"", x_ms_error_code="<b>" + LEAK),
        "503 and a code of storage": refused(503, b"", x_ms_error_code="x" * 50_000),
        "a reason with a secret": mangled(lambda _whole: f"HTTP/1.1 400 {LEAK}\r\nContent-Length: 0\r\n\r\n".encode()),
        "a reason of 60 kB": mangled(lambda _whole: b"HTTP/1.1 400 " + b"y" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n"),
        "a request's id of 60 kB": refused(400, b"{}", x_request_id="i" * 60_000, x_ms_request_id="i" * 60_000),
        "a challenge": refused(401, b"{}", WWW_Authenticate='Bearer authorization="http://127.0.0.1:1/x", resource="y"'),
    }
)
WAITS = {
    "negative": "-5",
    "infinity": "1e999",
    "not a number": "nan",
    "a word": "soon",
    "the year 9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "a day that isn't one": "Mon, 99 Foo 99999 99:99:99 GMT",
    "the past": "Thu, 01 Jan 1970 00:00:00 GMT",
    "a year": "31536000",
    "400 digits": "9" * 400,
    "60 kB": "1" * 60_000,
    "a broken number": "1_0",
}
ASKED_TO_WAIT: dict[str, Misbehaving] = {
    f"{status}, to wait: {name}": refused(status, b'{"error": {"code": "Busy", "message": "m"}}', **headers)
    for status in (429, 503)
    for name, value in WAITS.items()
    for headers in ({"Retry_After": value, "retry_after_ms": value, "x_ms_retry_after_ms": value},)
}
PLACES: dict[str, Callable[[Asked], str]] = {
    "itself": lambda asked: asked.service.base + asked.target,
    "another port": lambda asked: f"http://127.0.0.1:{ELSEWHERE[0]}/",
    "another host": lambda _asked: f"http://localhost:{ELSEWHERE[0]}/",
    "a file": lambda _asked: "file:///etc/hostname",
    "no address": lambda _asked: "http://[::1",
    "nowhere": lambda _asked: "",
    "60 kB": lambda _asked: "/" + "a" * 60_000,
    "a name and a key": lambda _asked: f"http://user:{KEY}@127.0.0.1:{ELSEWHERE[0]}/",
}
ELSEWHERE: list[int] = []
"""The port of the service that must hear nothing."""
REDIRECTED: dict[str, Misbehaving] = {
    f"{status} to {name}": redirected(to, status)
    for status in (301, 302, 303, 307, 308)
    for name, to in PLACES.items()
    if status == 307 or name in {"itself", "another port"}
}
