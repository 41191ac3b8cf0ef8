"""Fingerprints of examples, by which duplicates are found in bounded memory: equal, nearly equal,
or of one prompt.

Two examples are nearly the same where the near forms of their prompts are (64 bits of SHA-256) and
those of their answers (CRC-32), and the same where both texts also agree in their own CRC-32.
"""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..rules import content_rules as rules
from ..rules.findings import Finding, finding
from ..rules.lines_seen import seen_on
from ..rules.rule import Rule

# How many examples of a file are kept, 28 bytes each; later ones are only counted.
MAX_EXAMPLES = 1_000_000

# The near form of a text has ASCII letters in lower case, and neither white space nor marks of
# prose. Numbers and the signs of arithmetic stay, or every exercise would equal the next: a gap or
# mark after a digit, and a minus before one, count. A text of nothing else stands for itself.
_DROPPED = b" \t\n\r\v\f.,;:!?'\"()[]{}-_*#`~"
# Dropped bytes become NUL, and so NUL becomes another control.
_FOLD = bytes(
    0 if byte in _DROPPED else byte + 32 if 65 <= byte <= 90 else byte or 1 for byte in range(256)
)
_END = b"\xff"
# In longer texts, in bytes, that would cost too much: there blanks and marks are dropped at both
# ends, and count as all the same between them.
_LONG_TEXT = 512

_RECORD = np.dtype(
    [
        ("prompt", "<u8"),
        # CRC-32 suffices between answers to one prompt.
        ("answer", "<u8"),
        ("prompt_crc", "<u4"),
        ("answer_crc", "<u4"),
        ("line", "<u4"),
    ]
)
_MIX = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint64]
Records = NDArray[Any]


class Fingerprints(msgspec.Struct):
    """The fingerprints of a part of a file, in the order of its lines; lines count from the part's
    first one. `records` is packed; `skipped` are the examples beyond `limit`.
    """

    records: bytearray = msgspec.field(default_factory=bytearray)
    skipped: int = 0
    limit: int = MAX_EXAMPLES

    def observe(self, lines: Sequence[int], prompts: Sequence[str], answers: Sequence[str]) -> None:
        """Take the next examples; prompts and answers as compared_texts.py says."""
        # Quickest with 50 to 200 KB of text at a time.
        encoded = _encoded([*prompts, *answers])
        records = np.empty(len(lines), _RECORD)
        near, checks = _near_forms(encoded), _checks(encoded)
        records["prompt"], records["answer"] = (
            _hashes(near[: len(lines)]),
            _checks(near[len(lines) :]),
        )
        records["prompt_crc"], records["answer_crc"] = checks[: len(lines)], checks[len(lines) :]
        records["line"] = lines
        self._extend(records)

    def append(self, later: "Fingerprints", lines_before: int) -> None:
        """Add those of the part that follows after so many lines."""
        records = later.table().copy()
        records["line"] += lines_before
        self._extend(records)
        self.skipped += later.skipped

    def table(self) -> Records:
        """The records as a table."""
        # A view: while it is held nothing can be added.
        return np.frombuffer(self.records, _RECORD)

    def _extend(self, records: Records) -> None:
        room = self.limit - len(self.records) // _RECORD.itemsize
        self.records += records[:room].tobytes()
        self.skipped += max(len(records) - room, 0)


def _encoded(texts: Sequence[str]) -> list[bytes]:
    try:
        return list(map(str.encode, texts))
    except UnicodeEncodeError:
        return [text.encode("utf-8", "surrogatepass") for text in texts]


def _near_forms(texts: Sequence[bytes]) -> list[bytes]:
    short = [text for text in texts if len(text) <= _LONG_TEXT]
    forms_of_short = iter(_near_forms_of_short(short) if short else ())
    forms = [
        next(forms_of_short) if len(text) <= _LONG_TEXT else text.translate(_FOLD).strip(b"\0")
        for text in texts
    ]
    return forms if all(forms) else [form or text for form, text in zip(forms, texts, strict=True)]


def _near_forms_of_short(texts: Sequence[bytes]) -> list[bytes]:
    joined = _END.join((*texts, b""))
    folded = np.frombuffer(joined.translate(_FOLD), np.uint8)
    wanted = folded != 0
    _keep_numbers(np.frombuffer(joined, np.uint8), wanted)
    if not all(map(bytes.isascii, texts)):
        _drop_wide_marks(folded, wanted)
    # Quicker than to delete while translating, which stumbles over every blank.
    kept = folded.compress(wanted)
    ends = np.flatnonzero(kept == _END[0]).tolist()
    form = kept.tobytes()
    return [
        form[begin + 1 : end].strip(b"\0") for begin, end in zip((-1, *ends), ends, strict=False)
    ]


def _keep_numbers(text: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> None:
    """One gap after a digit stays, so that 1 11 is not 11 1, nor 2.5 25; so does the sign of -5."""
    is_digit = (text >= ord("0")) & (text <= ord("9"))
    wanted[1:] |= is_digit[:-1]
    wanted[:-1] |= (text[:-1] == ord("-")) & is_digit[1:]


def _drop_wide_marks(folded: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> None:
    """U+2000 to U+203F and U+3000 to U+303F, blanks and marks of three bytes, and the no-break
    space of two.
    """
    first, second = folded[:-2], folded[1:-1]
    wide = ((first == 0xE2) | (first == 0xE3)) & (second == 0x80)
    blank = (first == 0xC2) & (second == 0xA0)
    wanted[:-2] &= ~(wide | blank)
    wanted[1:-1] &= ~(wide | blank)
    wanted[2:] &= ~wide


def _hashes(texts: Sequence[bytes]) -> Hashes:
    digests = b"".join([hashlib.sha256(text).digest() for text in texts])
    return np.frombuffer(digests, "<u8")[::4]


def _checks(texts: Sequence[bytes]) -> NDArray[np.uint32]:
    return np.fromiter(map(zlib.crc32, texts), np.uint32, len(texts))


def findings(file: Fingerprints, with_conflicts: bool = True) -> list[Finding]:
    """The repetitions within a file."""
    table = file.table()
    near, equal = _repeats(_near_keys(table)), _repeats(_exact_keys(table))
    conflicting, prompts = (
        # None where several answers to a prompt are meant, as in preferences.
        _conflicting(table) if with_conflicts else (np.zeros(len(table), np.bool_), 0)
    )
    found = [
        _found(rules.DUPLICATE, "Examples that equal an earlier one", table[equal]),
        _found(
            rules.NEAR_DUPLICATE, "Examples that nearly equal an earlier one", table[near & ~equal]
        ),
        _found(
            rules.CONFLICT,
            f"Examples that answer {prompts:,} prompt{'s' * (prompts > 1)} in different ways",
            table[conflicting],
        ),
    ]
    if file.skipped:
        message = f"{file.skipped:,} examples beyond the first {file.limit:,} were not compared."
        found.append([finding(rules.NOT_COMPARED, message=message)])
    return [one for group in found for one in group]


def contamination(training: Fingerprints, validation: Fingerprints) -> list[Finding]:
    """What the validation file repeats of the training file; lines are the validation file's."""
    trained, asked = training.table(), validation.table()
    repeated = _are_among(_near_keys(asked), _near_keys(trained))
    shared = _are_among(_prompt_keys(asked), _prompt_keys(trained)) & ~repeated
    return [
        *_found(
            rules.CONTAMINATION,
            "Validation examples that are in the training file, exactly or nearly",
            asked[repeated],
        ),
        *_found(
            rules.SHARED_PROMPT,
            "Validation examples whose prompt is in the training file",
            asked[shared],
        ),
    ]


def _found(rule: Rule, what: str, records: Records) -> list[Finding]:
    return [seen_on(records["line"].tolist()).finding(rule, what)] if len(records) else []


def _near_keys(table: Records) -> Hashes:
    """One key for the near form of a whole example."""
    return table["prompt"] * _MIX ^ table["answer"]


def _exact_keys(table: Records) -> Hashes:
    return _near_keys(table) * _MIX ^ (
        table["prompt_crc"].astype(np.uint64) << np.uint64(32) | table["answer_crc"]
    )


def _prompt_keys(table: Records) -> Hashes:
    return table["prompt"] * _MIX ^ table["prompt_crc"]


def _repeats(keys: Hashes) -> NDArray[np.bool_]:
    """Which keys stand earlier, too."""
    repeats = np.ones(len(keys), np.bool_)
    repeats[np.unique(keys, return_index=True)[1]] = False
    return repeats


def _are_among(keys: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which keys are known."""
    if not len(known):
        return np.zeros(len(keys), np.bool_)
    # A third of the memory of numpy's own `isin`.
    known.sort()
    return known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys


def _conflicting(table: Records) -> tuple[NDArray[np.bool_], int]:
    """Which examples share their prompt with one of another answer, and how many prompts
    that are.
    """
    prompts = _prompt_keys(table)
    order = np.argsort(prompts)
    prompts, answers = prompts[order], table["answer"][order]
    same = prompts[1:] == prompts[:-1]
    group = np.concatenate((np.zeros(min(len(table), 1), np.int64), np.cumsum(~same)))
    in_conflict = np.zeros(len(table), np.bool_)
    in_conflict[group[1:][same & (answers[1:] != answers[:-1])]] = True
    conflicting = np.empty(len(table), np.bool_)
    conflicting[order] = in_conflict[group]
    return conflicting, int(np.count_nonzero(in_conflict))
