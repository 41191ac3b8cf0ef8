"""The carried vocabularies."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunedrop_check.counting import vocabulary

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", vocabulary.DEFINITIONS)
def test_definition_is_that_of_the_installed_tiktoken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hash, pattern and special tokens are tiktoken's own."""
    published: Any = importlib.import_module("tiktoken_ext.openai_public")
    asked: dict[str, Any] = {}

    def no_download(_url: str, expected_hash: str) -> dict[bytes, int]:
        asked["sha256"] = expected_hash
        return {}

    monkeypatch.setattr(published, "load_tiktoken_bpe", no_download)
    theirs = published.ENCODING_CONSTRUCTORS[name]()
    ours = vocabulary.DEFINITIONS[name]
    assert (ours.sha256, ours.pattern, ours.special_tokens) == (
        asked["sha256"],
        theirs["pat_str"],
        theirs["special_tokens"],
    )


@pytest.mark.parametrize("content", [None, b"", b"YQ== 0\n"], ids=["missing", "empty", "another"])
def test_ranks_are_refused_with_the_fix_when_the_file_is_damaged(
    content: bytes | None, tmp_path: Path
) -> None:
    """A file that isn't the published one is named, with what to do."""
    file = tmp_path / "o200k_base.tiktoken"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        vocabulary.VocabularyDamaged, match=r"o200k_base\.tiktoken .* Install the package again"
    ):
        vocabulary.tokens_of(file, vocabulary.DEFINITIONS["o200k_base"].sha256)


@pytest.mark.parametrize("name", vocabulary.DEFINITIONS)
def test_ranks_are_the_numbers_of_the_lines(name: str) -> None:
    """As the file says itself, line by line: nobody reads the ranks that it writes."""
    lines = (vocabulary.FOLDER / f"{name}.tiktoken").read_bytes().splitlines()
    assert [int(line.split()[1]) for line in lines] == list(range(len(lines)))
    assert vocabulary.tokens_in_base64(name) == [line.split()[0] for line in lines]


def test_encoding_is_built_once_when_eight_threads_ask_at_the_same_moment() -> None:
    """The first scans of a process share one encoding."""
    program = (
        "from concurrent.futures import ThreadPoolExecutor as Pool; from "
        "tunedrop_check.counting.vocabulary import encoding; "
        "print(len({id(e) for e in list(Pool(8).map(encoding, ['cl100k_base'] * 8))}))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.strip()
        == "1"
    )
