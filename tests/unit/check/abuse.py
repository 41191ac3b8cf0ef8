"""Hostile and unlucky files, each with its diagnosis: the codes of all that is found in it.

Sources of the list: what people drop by mistake (spreadsheets, other encodings, other formats), and
what breaks parsers (depth, long numbers, long lines, many values, half characters).
"""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.unit.check.builders import (
    IMAGE_MODEL,
    TEXT_MODEL,
    MemorySource,
    a_conversation,
    a_file,
    a_message,
    an_example,
    of_tokens,
)
from tests.unit.check.pictures import a_data_uri, a_jpeg, a_png
from tests.unit.check.proofs.images import PRIVATE, a_part, parts
from tests.unit.check.proofs.lines import saying, with_field
from tests.unit.check.proofs.messages import asking
from tests.unit.check.proofs.preferences import NO, YES, a_preference
from tests.unit.check.proofs.tools import CALL, TOOL, answering, calling, with_function
from tests.unit.check.streams import Stream
from tunedrop_check.models import base_models
from tunedrop_check.reading.drop_names import Role
from tunedrop_check.scan import scanning

MB = 2**20
BOM = b"\xef\xbb\xbf"
SOUND = a_file(an_example())
TEN = SOUND * 10


@dataclass(frozen=True)
class Abuse:
    """A file, the codes that it must end in, and what its scan may cost beyond the file itself."""

    make: Callable[[], scanning.Source]
    codes: str
    model: base_models.KnownModel = TEXT_MODEL
    role: Role = "validation"
    cpu_s: float = 2
    memory_mb: int = 64
    slow: bool = False


def held(
    content: bytes, codes: str, model: base_models.KnownModel = TEXT_MODEL, **bounds: Any
) -> Abuse:
    """A file that fits into memory."""
    return Abuse(lambda: MemorySource(content), codes, model, **bounds)


def lines(
    *given: Any, codes: str, model: base_models.KnownModel = TEXT_MODEL, **bounds: Any
) -> Abuse:
    """A file of these lines, bytes as they are and objects as JSON."""
    written = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in given)
    return held(b"".join(line + b"\n" for line in written), codes, model, **bounds)


def zipped(*names: str) -> bytes:
    """A zip archive, as office documents are too."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, TEN)
    return content.getvalue()


def nested(opening: bytes, closing: bytes, depth: int = 10_000) -> bytes:
    """Values in each other."""
    return opening * depth + closing * depth


def arguments(text: str) -> dict[str, Any]:
    """An example whose call has these arguments."""
    return a_conversation(calling(with_function(arguments=text)), answering(), tools=[TOOL])


FILES: Mapping[str, Abuse] = {
    "no bytes": held(b"", "001"),
    "a byte-order mark only": held(BOM, "001"),
    "blank lines only": held(b"\n\r\n \n", "001"),
    "a million blank lines": Abuse(lambda: Stream((b"\n", 10**6)), "001", cpu_s=10),
    "a million blank lines, then an example": Abuse(
        lambda: Stream((b"\n", 10**6), (SOUND, 1)), "108", cpu_s=10
    ),
    "a byte-order mark": held(BOM + TEN, ""),
    "joined files with byte-order marks": held((BOM + SOUND) * 10, "112"),
    "UTF-16 with mark": held(TEN.decode().encode("utf-16"), "004"),
    "UTF-16 without mark": held(TEN.decode().encode("utf-16-le"), "103"),
    "UTF-32 with mark": held(TEN.decode().encode("utf-32"), "004"),
    "Latin-1": held(a_file(asking("caf\u00e9")).decode().encode("latin-1"), "102"),
    "CRLF": held(TEN.replace(b"\n", b"\r\n"), ""),
    "CR": held(TEN.replace(b"\n", b"\r"), "109"),
    "no last line feed": held(TEN.rstrip(), ""),
    "U+2028 as line end": held(TEN.decode().replace("\n", "\u2028").encode(), "103"),
    "NUL bytes": held(b"\0" * 4096, "103"),
    "a NUL after each line": held(TEN.replace(b"\n", b"\0\n"), "103"),
    "a sparse copy": Abuse(lambda: Stream((SOUND, 1), (b"\0", 8 * MB)), "103"),
    "invalid UTF-8": held(b"\xfd\xfe\xff\n" * 100, "102"),
    "invalid UTF-8 in a text": held(SOUND + saying('"?"').replace(b"?", b"\x80\xbf"), "102"),
    "surrogates in UTF-8": held(saying('"?"').replace(b"?", b"\xed\xa0\x80"), "102"),
    "gzip": held(gzip.compress(TEN, mtime=0), "004"),
    "zip": held(zipped("training_set.jsonl"), "004"),
    "xlsx": held(zipped("[Content_Types].xml", "xl/workbook.xml"), "004"),
    "parquet": held(b"PAR1" + bytes(range(256)) * 9 + b"PAR1", "004"),
    "PDF": held(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "004"),
    "JPEG": held(a_jpeg(), "102"),
    "an executable": held(b"\x7fELF" + bytes(200), "103"),
    "HTML": held(b"<!doctype html>\n<title>404</title>\n", "103"),
    "CSV": held(b"role,content\nuser,Hello\n", "103"),
    "YAML": held(b"- role: user\n  content: Hello\n", "103"),
    "indented JSON": held(json.dumps(an_example(), indent=2).encode(), "103"),
    "one array of all examples": held(json.dumps([an_example()] * 10).encode(), "012"),
    "a log line between": lines(SOUND.strip(), b"WARN retrying", SOUND.strip(), codes="103"),
    "merge conflict": held(
        b"<<<<<<< HEAD\n" + SOUND + b"=======\n" + SOUND + b">>>>>>> a\n", "103"
    ),
}

JSON_TEXTS: Mapping[str, Abuse] = {
    "a string": lines(b'"x"', codes="104"),
    "a number": lines(b"7", codes="104"),
    "null": lines(b"null", codes="104"),
    "trailing comma": lines(saying('"?"').replace(b"]}", b"],}"), codes="103"),
    "a comment": lines(saying('"?"') + b" // later", codes="103"),
    "single quotes": lines(b"{'messages': []}", codes="103"),
    "NaN": lines(saying("NaN"), codes="107"),
    "-Infinity": lines(saying("-Infinity"), codes="107"),
    "1e999": lines(saying("1e999"), codes="107"),
    "1e-999": lines(saying("1e-999"), codes="209"),
    "5,000 digits": lines(saying("7" * 5000), codes="107"),
    "a million digits": lines(saying("7" * 10**6), codes="107"),
    "a million digits after the point": lines(saying("0." + "7" * 10**6), codes="209"),
    "a key twice": lines(b'{"messages": [], ' + saying('"?"')[1:], codes="105"),
    "a key 100,000 times": lines(with_field("{" + '"a": 1, ' * 10**5 + '"a": 2}'), codes="105 301"),
    "arrays 10,000 deep": lines(nested(b"[", b"]"), codes="106"),
    "objects 10,000 deep": lines(nested(b'{"a":', b"}").replace(b":}", b":1}"), codes="106"),
    "arrays a million deep": lines(nested(b"[", b"]", 500_000), codes="106"),
    "a million brackets that never close": lines(b"[" * 10**6, codes="106"),
    "ten million brackets": lines(b"[" * 10**7, codes="111"),
    "depth inside an example": lines(with_field("[" * 3000 + "]" * 3000), codes="106"),
    "10,000 keys": lines(
        an_example(**{f"key{number}": number for number in range(10_000)}), codes="216 218"
    ),
    "__proto__": lines(an_example(__proto__={"admin": True}, constructor=1), codes="216"),
    "half a character": lines(saying('"\\ud800"'), codes="110"),
    "100,000 halves": lines(saying('"' + "\\ud800" * 10**5 + '"'), codes="110"),
    "a key of a megabyte": lines(b'{"' + b"k" * MB + b'": 1}', codes="201 216"),
    "an escape that ends early": lines(saying('"\\u12"'), codes="103"),
    "a backslash at the end": lines(saying('"?"')[:-20] + b"\\", codes="103"),
    "8 MB of backslashes": lines(saying('"' + "\\\\" * (4 * MB) + '"'), codes="219", memory_mb=96),
    "Python's repr": lines(repr(an_example()).encode(), codes="103"),
    "JSON in a JSON text": lines(json.dumps(json.dumps(an_example())).encode(), codes="104"),
}

EXAMPLES: Mapping[str, Abuse] = {
    "an empty object": lines({}, codes="201"),
    "empty messages": lines({"messages": []}, codes="201"),
    "messages null": lines({"messages": None}, codes="201"),
    "half a million messages": lines(
        {"messages": [1] * 500_000}, codes="202 205 206", cpu_s=10, memory_mb=128
    ),
    "null content": lines(a_conversation(a_message("assistant", None)), codes="208 009"),
    "an image at a file": lines(
        parts(a_part("file:///etc/passwd")), codes="404 009", model=IMAGE_MODEL
    ),
    "images at private places": lines(
        parts(*map(a_part, PRIVATE)), codes="404 009", model=IMAGE_MODEL
    ),
    "an image for a text model": lines(parts(a_part()), codes="402 009"),
    "a host of a million labels": lines(
        parts(a_part("http://" + "1." * 10**6)), codes="404 009", model=IMAGE_MODEL, memory_mb=200
    ),
    "ten million bytes of no base64": lines(
        parts(a_part("data:image/png;base64," + "=" * 10**7)),
        codes="404 009",
        model=IMAGE_MODEL,
        memory_mb=96,
    ),
    "an image of a gigapixel": lines(
        parts(a_part(a_data_uri(a_png(2**31 - 1, 2**31 - 1)))), codes="009", model=IMAGE_MODEL
    ),
    "a JPEG of a million segments": lines(
        parts(a_part(a_data_uri(b"\xff\xd8" + b"\xff\xe0\0\0" * 10**6, "image/jpeg"))),
        codes="009",
        model=IMAGE_MODEL,
    ),
    "an image over 10 MB": lines(
        parts(a_part(a_data_uri(a_png() + bytes(10 * MB)))),
        codes="407 009",
        model=IMAGE_MODEL,
        memory_mb=96,
    ),
    "1,000 images": lines(parts(*[a_part()] * 1000), codes="408 218 009", model=IMAGE_MODEL),
    "audio": lines(
        parts({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}),
        codes="401 009",
    ),
    "100,000 empty parts": lines(parts(*[{}] * 100_000), codes="401 009"),
    "a call without id": lines(
        a_conversation(calling({**CALL, "id": ""}), tools=[TOOL]), codes="303 009"
    ),
    "an answer to no call": lines(a_conversation(answering("x")), codes="305 009"),
    "50,000 calls": lines(
        an_example(a_message("user"), calling(*[CALL] * 50_000), tools=[TOOL]),
        codes="219 009",
        cpu_s=5,
        memory_mb=200,
    ),
    "arguments that are no JSON": lines(arguments("{"), codes="304 009"),
    "arguments 10,000 deep": lines(
        arguments('{"a":' * 10_000 + "1" + "}" * 10_000), codes="304 009"
    ),
    "arguments of 5,000 digits": lines(arguments('{"a": ' + "7" * 5000 + "}"), codes="304 009"),
    "an unknown role": lines(a_conversation(a_message("ipython")), codes="203 009"),
    "no assistant": lines(an_example(a_message("user")), codes="206 009"),
    "ends with the user": lines(
        an_example(a_message("user"), a_message("assistant"), a_message("user")), codes="207 009"
    ),
    "weight 0.5": lines(a_conversation(a_message("assistant", weight=0.5)), codes="211 009"),
    "weight true": lines(a_conversation(a_message("assistant", weight=True)), codes="211 009"),
    "weight '1'": lines(a_conversation(a_message("assistant", weight="1")), codes="211 009"),
    "all weights 0": lines(
        an_example(a_message("user"), a_message("assistant", weight=0)), codes="213 009"
    ),
    "a name with spaces": lines(
        a_conversation(a_message("user", name="A B\u202e")), codes="215 009"
    ),
    "a name of a megabyte": lines(
        a_conversation(a_message("user", name="x" * MB)),
        codes="215 218 009",
        cpu_s=5,
        memory_mb=128,
    ),
    "functions and tools": lines(
        an_example(functions=[{"name": "f"}], tools=[TOOL]), codes="308 309"
    ),
    "preference keys in chat": lines(
        an_example(preferred_output=[], non_preferred_output=[]), codes="217"
    ),
    "grader's fields in chat": lines(an_example(answer="4"), codes="216"),
    "mixed formats": lines(
        an_example(),
        a_preference(messages=(a_message("system", "Be brief."), a_message("user"))),
        codes="006",
    ),
    "prompt and completion": lines({"prompt": "a", "completion": "b"}, codes="005"),
    "half a preference": lines({"preferred_output": [YES]}, codes="501 502 009"),
    "a preference for itself": lines(a_preference((NO,)), codes="505 009"),
    "a preference between questions": lines(
        a_preference((a_message("user"),)), codes="503 504 009"
    ),
    "50,000 messages in each output": lines(
        a_preference((1,) * 50_000, (1,) * 50_000), codes="202 218 504 505 009", cpu_s=5
    ),
}

SIZES: Mapping[str, Abuse] = {
    "nine examples": held(SOUND * 9, "002", role="training"),
    "ten examples": held(TEN, "", role="training"),
    "one token under the limit": lines(of_tokens(65_535), codes=""),
    "at the limit of tokens": lines(of_tokens(65_536), codes=""),
    "one token over the limit": lines(of_tokens(65_537), codes="218"),
    "one byte under 512 MB": Abuse(
        lambda: Stream((SOUND, 1), (b" ", 512 * MB - len(SOUND) - 1)), "101", cpu_s=20
    ),
    "512 MB": Abuse(lambda: Stream((SOUND, 1), (b" ", 512 * MB - len(SOUND))), "003 101", cpu_s=20),
    "a line of 100 MB": Abuse(
        lambda: Stream((SOUND, 1), (b"x", 100 * MB), (b"\n" + SOUND, 1)), "101", cpu_s=5
    ),
    "a line of 100 MB that begins well": Abuse(
        lambda: Stream((SOUND, 1), (b'{"messages": [', 1), (b"1,", 50 * MB)), "101", cpu_s=5
    ),
    "a line of 16 MB": Abuse(lambda: Stream((b"x", 16 * MB), (b"\n", 1)), "103", memory_mb=160),
    "a line of 16 MB and a byte": Abuse(
        lambda: Stream((b"x", 16 * MB + 1), (b"\n", 1)), "101", memory_mb=160
    ),
    "a million lines of {}": Abuse(lambda: Stream((b"{}\n", 10**6)), "113 201"),
    "a million broken lines": Abuse(lambda: Stream((b"{\n", 10**6)), "103 113"),
    "32 MiB of {}": Abuse(
        lambda: Stream((b"{}\n", 32 * 2**20 // 3)), "113 201", role="training", cpu_s=10
    ),
    "32 MiB of completions": Abuse(
        lambda: Stream((b'{"prompt":1,"completion":1}\n', 32 * 2**20 // 28)), "005 113", cpu_s=10
    ),
    "32 MiB of line feeds": Abuse(lambda: Stream((b"\n", 32 * 2**20)), "001", cpu_s=10),
    "a thousand lines of {}": Abuse(lambda: Stream((b"{}\n", 1000)), "201"),
    "100,000 sound lines": Abuse(
        lambda: Stream((SOUND, 100_000)), "", cpu_s=60, memory_mb=160, slow=True
    ),
    "a million values in a line": lines(
        with_field("[" + "1," * 10**6 + "1]"), codes="218 301", cpu_s=10, memory_mb=200
    ),
    "two million values in a line": lines(with_field("[" + "1," * 2 * 10**6 + "1]"), codes="111"),
    "a text of a megabyte and a byte": lines(asking("ab" * (MB // 2) + "x"), codes="219"),
    "500,001 blanks": lines(asking(" " * 500_001 + "x"), codes="219"),
    "a million emoji": lines(asking("\U0001f600" * 10**6), codes="219", memory_mb=96),
    "an example 5 times the limit": lines(of_tokens(327_680), codes="218", cpu_s=5),
}

CATALOGUE: Mapping[str, Abuse] = {**FILES, **JSON_TEXTS, **EXAMPLES, **SIZES}
