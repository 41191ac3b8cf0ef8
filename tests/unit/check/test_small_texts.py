"""The counter of small texts: exact, and without a large table."""

import json
import subprocess
import sys
from itertools import batched
from pathlib import Path

import pytest

from tests.data import a_training_set
from tests.fuzz import tokens as fuzz
from tests.patience import patience
from tunedrop_check.counting import counters, vocabulary
from tunedrop_check.counting.small_texts import SMALL_BYTES, SmallCounter, Tables

ENCODINGS = tuple(vocabulary.DEFINITIONS)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", params=ENCODINGS)
def tables(request: pytest.FixtureRequest) -> tuple[str, Tables]:
    """An encoding's name, and tables that a test may use as often as it likes."""
    return request.param, Tables(request.param, left=10_000)


def test_hostile_strings_count_as_in_tiktoken(tables: tuple[str, Tables]) -> None:
    """Whatever is among them: parts of characters, halves of pairs, blanks, what looks special."""
    name, table = tables
    for texts in batched(fuzz.strings(1_000, 11), 250, strict=False):
        assert list(fuzz.differences(texts, name, SmallCounter(name, table))) == []


def test_code_points_count_as_in_tiktoken(tables: tuple[str, Tables]) -> None:
    """Every 1,997th, in six contexts."""
    name, table = tables
    for texts in batched(fuzz.code_points(1_997), 1_000, strict=False):
        assert list(fuzz.differences(texts, name, SmallCounter(name, table))) == []


def test_long_words_and_runs_count_as_in_tiktoken(tables: tuple[str, Tables]) -> None:
    """The longest tokens, and pieces beyond which tiktoken splits in another way."""
    name, table = tables
    longest = sorted(vocabulary.ranks(name), key=len)[-200:]
    texts = [token.decode(errors="replace") for token in longest]
    texts += ["a" * 700, " " * 3_000, "ab" * 400, "-=" * 600, "日本" * 300]
    assert list(fuzz.differences(texts, name, SmallCounter(name, table))) == []


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"content": "Other texts \\ud83d\\ude00"}\n\xff\xfe', id="other texts"),
        pytest.param(json.dumps(list(fuzz.strings(100, 5))).encode(), id="the texts, escaped"),
    ],
)
def test_what_was_expected_changes_no_count(tables: tuple[str, Tables], expected: bytes) -> None:
    """It only saves time."""
    name, table = tables
    counter = SmallCounter(name, table)
    counter.expect(expected)
    assert list(fuzz.differences(fuzz.strings(100, 5), name, counter)) == []
    assert list(fuzz.differences(fuzz.strings(100, 6), name, counter)) == []


def test_texts_that_were_expected_need_one_table(tables: tuple[str, Tables]) -> None:
    """Also where the lines write them with escapes, as json.dumps does."""
    name, table = tables
    texts = ['He said "no".\n\t— déjà vu', "C:\\temp", "\U0001f468\u200d\U0001f469", "日本"]
    counter = SmallCounter(name, table)
    counter.expect(json.dumps(texts).encode())
    before = table.left
    for text in texts:
        counter.count([text])
    assert before - table.left == 1


@pytest.mark.parametrize("name", ENCODINGS)
def test_counter_of_any_text_takes_over_after_some_tables(name: str) -> None:
    """A process that counts often has the whole table, and the counts stay what they were."""
    table = Tables(name, left=2)
    texts = list(fuzz.strings(6, 8))
    counter = SmallCounter(name, table)
    one_by_one = [counter.count([text])[0] for text in texts]
    assert one_by_one == counters.TiktokenCounter(name).count(texts)
    assert table.left == 0


def test_texts_longer_than_expected_are_counted_all_the_same() -> None:
    """Those of a small file can be no longer than it; others are for the counter of any text."""
    texts = ["word " * SMALL_BYTES, "short"]
    table = Tables("o200k_base", left=5)
    assert SmallCounter("o200k_base", table).count(texts) == [SMALL_BYTES + 1, 1]
    assert table.left == 5


def test_check_of_a_small_file_builds_no_large_table(tmp_path: Path) -> None:
    """Neither the fast counter nor the whole vocabulary: both take longer than all the rest."""
    path = tmp_path / "small.jsonl"
    path.write_bytes(a_training_set("small files", 40))
    asking = (
        "import sys; from tunedrop_check import check; "
        "from tunedrop_check.counting import counters;"
        " check(sys.argv[1]); print('toktok' in sys.modules, counters.is_built('o200k_base'))"
    )
    command = [sys.executable, "-c", asking, str(path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=patience(30), check=True
    )
    assert done.stdout.split() == ["False", "False"]
