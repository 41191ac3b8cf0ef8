"""What makes an example train badly although its form is right: blank and cut answers, a long tail.

An answer counts as cut where it ends
- inside a block of code: its fences (three backquotes) are odd in number;
- inside JSON: it begins with `{"`, `[{` or `["`, and a reader says that the end is missing;
- with an opening bracket that is no smiley, or, from 80 characters on, with a comma;
- inside a sentence: its last line has at least 80 characters and a sentence that ended, and stops
  at a letter or digit.
"""

import re
from collections.abc import Sequence

import msgspec

from ..rules import content_rules as rules
from ..rules.findings import Finding, finding
from ..scan.statistics import Histogram

_FENCE = "```"
_LONG_LINE = 80
_SENTENCE_MARKS = ".!?"
_SENTENCE_ENDS = (". ", "? ", "! ")
_LISTED = re.compile(r"[-*+#|>$]|[0-9]+[.)]")

_MIN_TAIL_EXAMPLES = 20
_TAIL_TIMES_P95 = 10
_MIN_SHARE_EXAMPLES = 100
_TAIL_SHARE = 0.25
_MIN_EQUAL_TOKENS = 64
_MIN_EQUAL_ANSWERS = 5


def blank_and_cut(answers: Sequence[str]) -> tuple[list[int], list[int]]:
    """Which answers have characters, but only white space, and which seem to stop before
    their end.
    """
    # "" is in every text: an answer without characters ends well. Most answers are whole at the
    # first look.
    odd = [
        index
        for index, answer in enumerate(answers)
        if answer[-1:] not in _SENTENCE_MARKS or "`" in answer
    ]
    blank = [index for index in odd if answers[index].isspace()]
    return blank, [index for index in odd if _is_cut(answers[index])]


def _is_cut(answer: str) -> bool:
    if "`" in answer and answer.count(_FENCE) % 2:
        return True
    text = answer.rstrip()
    return bool(text) and (_ends_at_bracket(text) or _ends_in_json(text) or _ends_in_sentence(text))


def _ends_at_bracket(text: str) -> bool:
    last = text[-1]
    if last == ",":
        return len(text) >= _LONG_LINE
    return last in "([{" and text[-2:-1] not in (":", ";", "=", "-", "'")


def _ends_in_json(text: str) -> bool:
    if not text.startswith(('{"', "[{", '["')) or text[-1] in "]}":
        return False
    try:
        msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except RecursionError:
        return False
    return False


def _ends_in_sentence(text: str) -> bool:
    begin = text.rfind("\n") + 1
    if (
        len(text) - begin < _LONG_LINE
        or not text[-1].isalnum()
        or not any(text.find(end, begin) >= 0 for end in _SENTENCE_ENDS)
    ):
        return False
    # A last word with other characters is an address, a path or code: it may stand without a mark.
    return text[text.rfind(" ") + 1 :].isalnum() and not _LISTED.match(text, begin)


def long_tail(tokens: Histogram) -> list[Finding]:
    """The finding for a few examples that outweigh the rest, from the tokens of all examples."""
    figures = tokens.distribution()
    if figures is None or tokens.size < _MIN_TAIL_EXAMPLES:
        return []
    share = _share_of_longest(tokens)
    # A quarter of all tokens in the longest 1 % from 100 examples on, or ten times the 95th
    # percentile from 20 on.
    is_heavy = tokens.size >= _MIN_SHARE_EXAMPLES and share >= _TAIL_SHARE
    if not is_heavy and figures.max < _TAIL_TIMES_P95 * figures.p95:
        return []
    message = (
        f"The longest example has {figures.max:,} tokens, 95 % have at most {figures.p95:,.0f}; "
        f"the longest 1 % have {100 * share:.0f} % of all tokens."
    )
    return [finding(rules.LONG_TAIL, message=message)]


def _share_of_longest(tokens: Histogram) -> float:
    wanted = max(tokens.size // 100, 1)
    held = 0
    for value in sorted(tokens.counts, reverse=True):
        times = min(tokens.counts[value], wanted)
        held += value * times
        wanted -= times
        if not wanted:
            break
    return held / max(tokens.sum, 1)


def one_length(answers: Histogram) -> list[Finding]:
    """The finding for answers that a limit seems to have cut, from the tokens of all answers."""
    # At least 5 answers and 1 in 200 have the greatest length, of 64 tokens or more, and four times
    # as many as have any of the 16 lengths below it.
    longest = max(answers.counts, default=0)
    times = answers.counts.get(longest, 0)
    below = max((answers.counts.get(longest - step, 0) for step in range(1, 17)), default=0)
    if longest < _MIN_EQUAL_TOKENS or times < max(
        _MIN_EQUAL_ANSWERS, answers.size / 200, 4 * below
    ):
        return []
    return [
        finding(
            rules.ONE_LENGTH,
            message=f"{times:,} answers have exactly {longest:,} tokens, the greatest length.",
        )
    ]
