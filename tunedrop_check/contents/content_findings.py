"""The findings on what texts hold: one observer per span takes its raw blocks and its examples,
results merge exactly.
"""

from collections.abc import Sequence

import msgspec

from ..rules import content_rules as rules
from ..rules.findings import KEPT, Finding, Tally, finding
from ..rules.lines_seen import LinesSeen
from ..rules.rule import Rule, Severity
from ..scan.statistics import Histogram
from . import duplicates, quality
from .duplicates import Fingerprints
from .search import blocks, secrets

_BATCH_CHARACTERS = 2**18

# The rules whose severity a setting chooses.
SECRET_CODES = frozenset(kind.rule.code for kind in secrets.KINDS)
_COUNTED: dict[str, tuple[Rule, str]] = {
    rule.code: (rule, what)
    for rule, what in (
        (rules.BLANK_ANSWER, "Examples whose answer is blank"),
        (rules.ANSWER_CUT, "Examples whose answer seems to be cut short"),
        (rules.EMAIL, "Lines with e-mail addresses"),
        (rules.PHONE, "Lines with telephone numbers"),
        (rules.CARD, "Lines with card numbers"),
        (rules.IBAN, "Lines with bank account numbers"),
        (rules.REPLACEMENT, "Lines with replacement characters"),
        (rules.INVISIBLE, "Lines with invisible characters"),
        (rules.BIDI, "Lines with bidirectional controls"),
    )
}


class WatchOptions(msgspec.Struct, frozen=True):
    """How findings are told: whether a secret stops a run, and whether prompts may have two
    answers.
    """

    secrets: Severity = "error"
    with_conflicts: bool = True


class Secret(msgspec.Struct, frozen=True):
    """A probable secret: its kind and the first four characters, never more."""

    line: int
    code: str
    kind: str
    start: str


class SpanFindings(msgspec.Struct):
    """What was found in a part of a file; line numbers count from the part's first line, 1."""

    counted: dict[str, LinesSeen] = msgspec.field(default_factory=dict[str, LinesSeen])
    secrets: list[Secret] = msgspec.field(default_factory=list[Secret])
    secrets_by_code: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    fingerprints: Fingerprints = msgspec.field(default_factory=Fingerprints)

    def append(self, later: "SpanFindings", lines_before: int) -> None:
        """Add those of the part that follows after so many lines."""
        for code, seen in later.counted.items():
            self.counted.setdefault(code, LinesSeen()).append(seen, lines_before)
        for code, times in later.secrets_by_code.items():
            self.secrets_by_code[code] = self.secrets_by_code.get(code, 0) + times
        for secret in later.secrets[: KEPT - len(self.secrets)]:
            self.secrets.append(msgspec.structs.replace(secret, line=secret.line + lines_before))
        self.fingerprints.append(later.fingerprints, lines_before)


# In bounded memory: fingerprints are kept of the first 1,000,000 examples of a file (28 bytes
# each), line numbers of the first 20 seen of a rule, and the first 100 secrets.
class ContentObserver:
    """Observes the lines of one span, in order: their raw blocks and their examples."""

    def __init__(self) -> None:
        self._result = SpanFindings()
        self._lines: list[int] = []
        self._prompts: list[str] = []
        self._answers: list[str] = []
        self._characters = 0

    def block(self, raw: bytes, first_line: int) -> None:
        """Search whole raw lines, joined by line feeds; `first_line` is the first one's number."""
        for hit in blocks.search(raw):
            line = first_line + hit.line
            if hit.code in SECRET_CODES:
                self._secret(Secret(line, hit.code, hit.kind, hit.start))
            else:
                self._count(hit.code, line)

    def example(self, line: int, prompt: str, answer: str, learnt: str) -> None:
        """Take the next example, in the texts that compared_texts.py tells."""
        self.examples(line, [prompt], [answer], [learnt], len(prompt) + len(answer))

    def examples(
        self,
        first: int,
        prompts: Sequence[str],
        answers: Sequence[str],
        learnt: Sequence[str],
        size: int,
    ) -> None:
        """Take the examples of the lines from `first` on, in the texts that compared_texts.py
        tells; they have about `size` characters.
        """
        blank, cut = quality.blank_and_cut(learnt)
        for index in blank:
            self._count(rules.BLANK_ANSWER.code, first + index)
        for index in cut:
            self._count(rules.ANSWER_CUT.code, first + index)
        self._lines += range(first, first + len(prompts))
        self._prompts += prompts
        self._answers += answers
        self._characters += size
        if self._characters >= _BATCH_CHARACTERS:
            self._flush()

    def result(self) -> SpanFindings:
        """What was found so far."""
        self._flush()
        return self._result

    def _count(self, code: str, line: int) -> None:
        self._result.counted.setdefault(code, LinesSeen()).add(line)

    def _secret(self, secret: Secret) -> None:
        by_code = self._result.secrets_by_code
        by_code[secret.code] = by_code.get(secret.code, 0) + 1
        if len(self._result.secrets) < KEPT:
            self._result.secrets.append(secret)

    def _flush(self) -> None:
        if self._lines:
            self._result.fingerprints.observe(self._lines, self._prompts, self._answers)
        self._lines, self._prompts, self._answers, self._characters = [], [], [], 0


def of_file(whole: SpanFindings, options: WatchOptions) -> Tally:
    """All findings of a whole file: one for each rule, and one for each line with a secret."""
    tally = Tally()
    for code, seen in sorted(whole.counted.items()):
        tally.add(seen.finding(*_COUNTED[code]))
    for found in duplicates.findings(whole.fingerprints, options.with_conflicts):
        tally.add(found)
    for secret in whole.secrets:
        tally.add(_of_secret(secret, options.secrets))
    # Of those 100 are kept, and all are counted.
    for code, times in whole.secrets_by_code.items():
        tally.count(code, times - tally.counts.get(code, 0))
    return tally


def of_figures(total: Histogram, answers: Histogram) -> list[Finding]:
    """The findings on the tokens of all examples and of all answers."""
    return [*quality.long_tail(total), *quality.one_length(answers)]


def _of_secret(secret: Secret, severity: Severity) -> Finding:
    message = f"The line contains something that looks like this: {secret.kind}, {secret.start}…"
    return msgspec.structs.replace(
        finding(rules.RULES[secret.code], message=message, line=secret.line), severity=severity
    )
