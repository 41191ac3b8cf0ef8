"""The two vocabularies of the supported models, carried with the package and proven by their
published SHA-256. Nothing is ever downloaded.
"""

import binascii
import functools
import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import tiktoken

FOLDER = Path(__file__).parent / "vocabularies"
_building = threading.Lock()


class Definition(msgspec.Struct, frozen=True):
    """What makes an encoding beside its ranks: file hash, split pattern and special tokens."""

    sha256: str
    pattern: str
    special_tokens: dict[str, int]


class VocabularyDamaged(RuntimeError):
    """A carried vocabulary file is missing or is not the published one; `file` is its name."""

    def __init__(self, file: str) -> None:
        self.file = file
        super().__init__(
            f"The vocabulary file {file} is missing or damaged. Install the package again to "
            "restore it."
        )


_CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"

# The carried encodings by name.
# Hashes, split patterns and special tokens are those that tiktoken publishes; a test compares them
# with the installed tiktoken.
DEFINITIONS = {
    "cl100k_base": Definition(
        sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        pattern="|".join(
            (
                r"'(?i:[sdmt]|ll|ve|re)",
                r"[^\r\n\p{L}\p{N}]?+\p{L}++",
                r"\p{N}{1,3}+",
                r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
                r"\s++$",
                r"\s*[\r\n]",
                r"\s+(?!\S)",
                r"\s",
            )
        ),
        special_tokens={
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "o200k_base": Definition(
        sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        pattern="|".join(
            (
                rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_CONTRACTION}",
                rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_CONTRACTION}",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
        special_tokens={"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
}


def tokens_in_base64(name: str) -> list[bytes]:
    """The tokens of a vocabulary as its file has them, in base64 and by their ranks, which go from
    0 on without a gap.

    Raises:
        VocabularyDamaged: Its file is missing, unreadable or not the published one.
    """
    return tokens_of(FOLDER / f"{name}.tiktoken", DEFINITIONS[name].sha256)


def tokens_of(file: Path, sha256: str) -> list[bytes]:
    """The same of any such file.

    Raises:
        VocabularyDamaged: It is missing, unreadable or another file than the published one.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise VocabularyDamaged(file.name) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise VocabularyDamaged(file.name)
    return data.split()[::2]


def encoding(name: str) -> "tiktoken.Encoding":
    """The encoding of this name, built once per process (about 0.3 s).

    Raises:
        LookupError: The name is not one of DEFINITIONS.
        VocabularyDamaged: Its file is not the published one.
    """
    with _building:  # the first scans of a process come at once, and each would build its own
        return _built(name)


@functools.cache
def _built(name: str) -> "tiktoken.Encoding":
    return encoding_of(name, ranks(name))


def ranks(name: str) -> dict[bytes, int]:
    """The tokens of a vocabulary with their ranks.

    Raises:
        VocabularyDamaged: Its file is missing, unreadable or not the published one.
    """
    tokens = map(binascii.a2b_base64, tokens_in_base64(name))
    return {token: rank for rank, token in enumerate(tokens)}


def encoding_of(name: str, ranks: dict[bytes, int]) -> "tiktoken.Encoding":
    """The encoding with these of its tokens."""
    import tiktoken  # 0.05 s that only a scan should pay

    definition = DEFINITIONS[name]
    return tiktoken.Encoding(
        name,
        pat_str=definition.pattern,
        mergeable_ranks=ranks,
        special_tokens=definition.special_tokens,
    )
