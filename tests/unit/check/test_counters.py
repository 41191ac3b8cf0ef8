"""Counters: the fast one in use, and exact."""

import importlib.metadata

import pytest

from tests.fuzz import tokens as fuzz
from tunedrop_check.counting import counters, newer_letters, vocabulary

ENCODINGS = tuple(vocabulary.DEFINITIONS)
SOME = sorted({chr(code) for first, last in newer_letters.NEWER_LETTERS for code in (first, last)})


def test_fast_counter_is_in_use_and_the_probed_one() -> None:
    """The versions that are installed are those that newer_letters.py was made with."""
    assert all(
        importlib.metadata.version(package) == version
        for package, version in newer_letters.PROBED.items()
    )
    assert isinstance(counters.counter("o200k_base"), counters.FastCounter)


@pytest.mark.parametrize("name", ENCODINGS)
def test_fast_counter_counts_hostile_strings_as_tiktoken_does(name: str) -> None:
    """In small what `python -m tests.fuzz.tokens` does in full."""
    assert not list(fuzz.differences(fuzz.strings(8_000, 7), name, counters.counter(name)))


@pytest.mark.parametrize("name", ENCODINGS)
def test_fast_counter_counts_code_points_as_tiktoken_does(name: str) -> None:
    """Every 97th code point in six contexts."""
    assert not list(fuzz.differences(fuzz.code_points(97), name, counters.counter(name)))


@pytest.mark.parametrize("name", ENCODINGS)
def test_newer_letters_are_routed_wherever_they_stand(name: str) -> None:
    """The first and the last letter of each range, alone and among ASCII and other texts, count as
    in tiktoken.
    """
    texts = [context.format(letter) for letter in SOME for context in fuzz.CONTEXTS]
    assert not list(
        fuzz.differences([*texts, "plain", "日本語", *texts], name, counters.counter(name))
    )


@pytest.mark.parametrize("letter", SOME, ids=ascii)
def test_text_with_a_newer_letter_is_not_ordinary(letter: str) -> None:
    """Else a block that holds it would be counted without a look at its texts."""
    assert not counters.is_ordinary(f'{{"a":"日本 x{letter}"}}'.encode())
    assert counters.is_ordinary("日本語 \U0001f468 Привет".encode())


def test_newer_letters_are_no_more_than_needed() -> None:
    """Each of them is one that bare toktok counts otherwise; else a tiktoken update would leave a
    stale list.
    """
    texts = [f"x{letter}'S" for letter in SOME]
    assert list(fuzz.differences(texts, "o200k_base", fuzz.BareToktok("o200k_base"))) == texts


@pytest.mark.parametrize("name", ENCODINGS)
def test_tiktoken_counts_where_the_fast_counter_is_missing(name: str) -> None:
    """The fallback gives the same figures."""
    texts = list(fuzz.strings(500, 3))
    assert counters.TiktokenCounter(name).count(texts) == counters.counter(name).count(texts)


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("ordinary", [False, True])
def test_many_texts_of_all_scripts_keep_their_order(name: str, ordinary: bool) -> None:
    """They are counted by script, and each gets its own count."""
    words = [
        "",
        "plain",
        "d\u00e9j\u00e0 vu",
        "\u65e5\u672c\u8a9e",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u0928\u092e",
        "\U0001f468",
    ]
    texts = [f"{words[n % 7]}{' ' * (n % 3)}{words[n % 5] * (n % 4)}" for n in range(3_000)]
    assert counters.counter(name).count(texts, ordinary) == counters.TiktokenCounter(name).count(
        texts
    )


def test_unknown_encoding_is_refused() -> None:
    """A name that isn't carried is a LookupError."""
    with pytest.raises(LookupError):
        counters.counter("p50k_base")
