"""What a service can do wrong with the bytes of an answer: each a change of the sound one."""

import html
import uuid
from collections.abc import Callable
from dataclasses import replace

from tests.faults.hostile.changes import (
    KEY,
    LEAK,
    MEGABYTE,
    Misbehaving,
    as_chunks,
    bodied,
    bomb,
    but_length,
    changed,
    chunked,
    closes,
    cut_gzip,
    dripped,
    emptied,
    fresh,
    head_of,
    headed,
    mangled,
    next_of,
    paged,
    redirected,
    refused,
    repeated,
    resets,
    silent,
    without_length,
)
from tests.faults.hostile.sound import sent
from tests.unit.adapters.misbehaving import Asked

# No whole answer comes, or none that means one thing.
BROKEN: dict[str, Misbehaving] = {
    "closes at once": closes,
    "resets": resets,
    "half a status line": mangled(lambda whole: whole[:9]),
    "closes in the headers": mangled(lambda whole: whole[:30]),
    "closes in the body": mangled(
        lambda whole: whole[: -max(1, (len(whole) - whole.index(b"\r\n\r\n")) // 2)]
    ),
    "another protocol": mangled(lambda _whole: b"SSH-2.0-OpenSSH_9.2\r\n"),
    "bytes without a meaning": mangled(lambda _whole: bytes(range(256)) * 4),
    "a body without a head": mangled(lambda whole: whole.partition(b"\r\n\r\n")[2] or b"{}"),
    "a status of four digits": mangled(lambda whole: whole.replace(b" 20", b" 200", 1)),
    "a status in letters": mangled(lambda whole: b"HTTP/1.1 abc\r\n" + whole.partition(b"\r\n")[2]),
    "a status of 999": changed(lambda sound: replace(sound, status=999)),
    "a status of 600": refused(600, b"{}"),
    "a negative status": mangled(
        lambda whole: b"HTTP/1.1 -200 OK\r\n" + whole.partition(b"\r\n")[2]
    ),
    "a version of another time": mangled(lambda whole: whole.replace(b"HTTP/1.1", b"HTTP/9.9", 1)),
    "headers without colons": mangled(
        lambda whole: whole.replace(b"\r\n", b"\r\nno colon here\r\n", 1)
    ),
    "a header of another line": mangled(
        lambda whole: whole.replace(b"\r\n", b"\r\n folded: x\r\n", 1)
    ),
    "headers of other bytes": mangled(
        lambda whole: whole.replace(b"\r\n", b"\r\nX-Odd: \xff\xfe\x00\x01\r\n", 1)
    ),
    "lengths that differ": mangled(
        lambda whole: whole.replace(b"\r\n", b"\r\nContent-Length: 1\r\n", 1)
    ),
    "a negative length": headed(Content_Length="-1"),
    "a length in words": headed(Content_Length="many"),
    "a length of 400 digits": headed(Content_Length="9" * 400),
    "a length and chunks": mangled(
        lambda whole: whole.replace(b"\r\n", b"\r\nTransfer-Encoding: chunked\r\n", 1)
    ),
    "an encoding of transfer that isn't one": mangled(
        lambda whole: whole.replace(b"\r\n", b"\r\nTransfer-Encoding: klingon\r\n", 1)
    ),
    "chunks without a size": mangled(lambda whole: as_chunks(whole, b"zz\r\n{}\r\n0\r\n\r\n")),
    "a chunk of negative size": mangled(lambda whole: as_chunks(whole, b"-5\r\n{}\r\n0\r\n\r\n")),
    "chunks without an end": mangled(lambda whole: as_chunks(whole, b"2\r\n{}\r\n")),
    "a chunk cut off": mangled(lambda whole: as_chunks(whole, b"ff\r\n{}")),
}

# What has no end, or is far too much.
ENDLESS: dict[str, Misbehaving] = {
    "silence": silent(),
    "silence in the body": silent(lambda sound: head_of(sound, Content_Length="100000")),
    "a status line in drips": dripped(lambda _sound: b"HTTP/1.1 200"),
    "headers in drips": dripped(lambda sound: sent(sound)[:17] + b"\r\nX-Slow:"),
    "a header a drip": dripped(lambda _sound: b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
    "a body in drips": dripped(lambda sound: head_of(sound, Content_Length="100000")),
    "chunks in drips": dripped(chunked, b"1\r\n \r\n"),
    "a chunk's size in drips": dripped(chunked, b"0"),
    "other answers first, for ever": repeated(lambda _sound: b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body without an end": repeated(without_length, MEGABYTE),
    "chunks for ever": repeated(chunked, b"100000\r\n" + MEGABYTE + b"\r\n"),
    "a chunk's size for ever": repeated(chunked, b"0" * 2**16),
    "a header without an end": repeated(
        lambda _sound: b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 2**16
    ),
    "headers for ever": repeated(lambda _sound: b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n" * 2**10),
    "trailers for ever": repeated(
        lambda sound: chunked(sound) + b"0\r\n", b"X-More: 1\r\n" * 2**10
    ),
    "a bomb": bodied(bomb(), Content_Encoding="gzip"),
    "a bomb in a refusal": refused(400, bomb(), Content_Encoding="gzip"),
    "a bomb in a failure": refused(503, bomb(), Content_Encoding="gzip"),
    "a length of a terabyte": silent(lambda sound: head_of(sound, Content_Length=str(2**40))),
}

PACKED: dict[str, Misbehaving] = {
    "gzip that is none": headed(Content_Encoding="gzip"),
    "gzip cut off": changed(cut_gzip),
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
    "half of it": changed(
        lambda sound: replace(
            sound, body=sound.body[: len(sound.body) // 2], headers=but_length(sound)
        )
    ),
    "it twice": changed(
        lambda sound: replace(sound, body=sound.body * 2, headers=but_length(sound))
    ),
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
    "a name twice": bodied(
        b'{"id": "a", "id": "b", "value": [], "value": [{}], "data": [], "data": [{}]}'
    ),
    "deep lists": bodied(b"[" * 100_000),
    "deep objects": bodied(b'{"data":' * 20_000),
    "deep lists that close": bodied(b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "no UTF-8": bodied(b'{"id": "\xff\xfe", "name": "\xc3\x28"}'),
    "UTF-16": bodied('{"id": "x"}'.encode("utf-16")),
    "half a character": bodied(
        b'{"id": "\\ud800", "name": "\\udfff", "location": "\\ud800", "model": "\\ud800"}'
    ),
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
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM '
        b'"file:///etc/hostname">]><EnumerationResults><Blobs><Blob><Name>&b;</Name></Blob>'
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
    | {
        f"{status} and words without end": refused(status, ERROR)
        for status in (400, 401, 403, 409, 412, 429, 500, 503)
    }
    | {
        "400 and strange fields": refused(
            400, b'{"error": {"code": {"a": [1]}, "message": 5, "innererror": "x"}}'
        ),
        "400 and an error that is text": refused(400, b'{"error": "' + LEAK.encode() + b'"}'),
        "400 and an error that is a list": refused(400, b'{"error": [{"code": 1}]}'),
        "400 and deep lists": refused(400, b'{"error":' * 20_000),
        "400 and a code of storage": refused(400, b"", x_ms_error_code="<b>" + LEAK),
        "503 and a code of storage": refused(503, b"", x_ms_error_code="x" * 50_000),
        "a reason with a secret": mangled(
            lambda _whole: f"HTTP/1.1 400 {LEAK}\r\nContent-Length: 0\r\n\r\n".encode()
        ),
        "a reason of 60 kB": mangled(
            lambda _whole: b"HTTP/1.1 400 " + b"y" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n"
        ),
        "a request's id of 60 kB": refused(
            400, b"{}", x_request_id="i" * 60_000, x_ms_request_id="i" * 60_000
        ),
        "a challenge": refused(
            401, b"{}", WWW_Authenticate='Bearer authorization="http://127.0.0.1:1/x", resource="y"'
        ),
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
    f"{status}, to wait: {name}": refused(
        status, b'{"error": {"code": "Busy", "message": "m"}}', **headers
    )
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
# The port of the service that must hear nothing.
ELSEWHERE: list[int] = []
REDIRECTED: dict[str, Misbehaving] = {
    f"{status} to {name}": redirected(to, status)
    for status in (301, 302, 303, 307, 308)
    for name, to in PLACES.items()
    if status == 307 or name in {"itself", "another port"}
}
SAME_MARKER = "always"  # of a listing that gives one page for ever
PAGED: dict[str, Misbehaving] = {
    "the same page for ever": paged(
        lambda asked, _told: {"has_more": True, "nextLink": asked.service.base + asked.target},
        lambda _asked: SAME_MARKER.encode(),
    ),
    "new pages for ever": paged(
        lambda asked, told: (
            {"has_more": True, "nextLink": next_of(asked)} | (fresh(told) if "data" in told else {})
        ),
        lambda _asked: str(uuid.uuid4()).encode(),
    ),
    "empty pages for ever": paged(
        lambda asked, told: {"has_more": True, "nextLink": next_of(asked)} | emptied(told),
        lambda _asked: str(uuid.uuid4()).encode(),
    ),
    "two pages in turn": paged(
        lambda asked, told: {
            "has_more": True,
            "nextLink": next_of(asked).partition("=")[0]
            + ("=1" if asked.target.endswith("=2") else "=2"),
            **(
                {"data": [told["data"][0] | {"id": f"id-{len(asked.service.asked) % 2}"}]}
                if "data" in told
                else {}
            ),
        },
        lambda asked: b"one" if b"two" in asked.target.encode() else b"two",
    ),
}
LINKED: dict[str, Misbehaving] = {
    f"a next page at {name}": paged(
        lambda asked, _told, to=to: {"has_more": True, "nextLink": to(asked)},
        lambda asked, to=to: html.escape(to(asked)).encode()[:9_000],
    )
    for name, to in PLACES.items()
    if name != "nowhere"
}
