"""Proofs of the rules on what texts hold, 7xx and 8xx."""

import json
from dataclasses import dataclass

from tests.unit.check.builders import a_message, an_example
from tests.unit.check.proofs.cases import Bad, Proof
from tests.unit.check.search.builders import made_up
from tunedrop_check.contents import content_findings, duplicates
from tunedrop_check.contents.content_findings import ContentObserver, SpanFindings, WatchOptions
from tunedrop_check.contents.duplicates import Fingerprints
from tunedrop_check.formats.recognition import read_as
from tunedrop_check.rules import content_rules as rules
from tunedrop_check.rules.findings import Finding
from tunedrop_check.rules.rule import Rule
from tunedrop_check.scan.statistics import Histogram

Exchange = tuple[str, str]

GITHUB = "gh" + "p_" + made_up(36)
KEY_BODY = made_up(64)
BEGIN = "-----BEGIN "
LONG = (
    "A sentence, and another one. This goes on without an end until somebody gets tired of reading "
    "such a long line"
)
THREE = (("a", "1"), ("b", "2"), ("c", "3"))
PAGE = f"{LONG}. " * 6


def watched(*exchanges: Exchange, limit: int | None = None) -> SpanFindings:
    """What is found in a file of these questions and answers."""
    observer = ContentObserver()
    examples = [
        an_example(a_message("user", question), a_message("assistant", answer))
        for question, answer in exchanges
    ]
    observer.block("\n".join(json.dumps(example) for example in examples).encode(), 1)
    for line, example in enumerate(examples, 1):
        observer.example(line, *read_as(example).answer(example))
    found = observer.result()
    if limit is not None:
        found.fingerprints, seen = Fingerprints(limit=limit), found.fingerprints
        found.fingerprints.append(seen, 0)
    return found


@dataclass(frozen=True)
class Texts:
    """A file of these questions and answers, of which so many examples are compared."""

    exchanges: tuple[Exchange, ...]
    limit: int | None = None

    def findings(self) -> list[Finding]:
        """What the watch says."""
        tally = content_findings.of_file(watched(*self.exchanges, limit=self.limit), WatchOptions())
        return [*tally.errors, *tally.warnings]


@dataclass(frozen=True)
class Files:
    """A training and a validation file of these questions and answers."""

    training: tuple[Exchange, ...]
    validation: tuple[Exchange, ...]

    def findings(self) -> list[Finding]:
        """What is said of the two together."""
        return duplicates.contamination(
            watched(*self.training).fingerprints, watched(*self.validation).fingerprints
        )


@dataclass(frozen=True)
class Figures:
    """The tokens of a file's examples, and of its answers."""

    total: dict[int, int]
    answers: dict[int, int]

    def findings(self) -> list[Finding]:
        """What is said of them."""
        return content_findings.of_figures(Histogram(self.total), Histogram(self.answers))


def file(*exchanges: Exchange, limit: int | None = None) -> Texts:
    """A file of these questions and answers."""
    return Texts(exchanges, limit)


def answering(*answers: str) -> Texts:
    """A file with these answers, each to a question of its own."""
    return file(*((f"Question {number}?", answer) for number, answer in enumerate(answers)))


def both(training: Exchange, validation: Exchange) -> Files:
    """A training and a validation file of one example, beside others."""
    return Files((("p", "q"), training), (("r", "s"), validation))


def in_answers(rule: Rule, bad: list[str], good: list[str]) -> Proof:
    """The proof of a rule on single answers; each stands on the second line."""
    return Proof(
        rule,
        bad={ascii(answer): Bad(answering("Fine.", answer), "2") for answer in bad},
        good={ascii(answer): answering("Fine.", answer) for answer in good},
    )


def tokens(counts: dict[int, int]) -> Figures:
    """Examples of these tokens."""
    return Figures(counts, {})


def answer_tokens(counts: dict[int, int]) -> Figures:
    """Answers of these tokens."""
    return Figures({}, counts)


PROOFS = [
    Proof(
        rules.DUPLICATE,
        bad={
            "twice": Bad(file(("a", "b"), ("c", "d"), ("a", "b")), "3"),
            "three times": Bad(file(("a", "b"), ("a", "b"), ("a", "b")), "2"),
        },
        good={
            "another question": file(("a", "b"), ("c", "b")),
            "another answer": file(("a", "b"), ("a", "c")),
        },
    ),
    Proof(
        rules.NEAR_DUPLICATE,
        bad={
            "case and marks": Bad(file(("What?", "It is."), ("what", "It, is")), "2"),
            "white space": Bad(file(("a b", "c"), ("a  b\n", "c")), "2"),
            "ends of long texts": Bad(file(("a", PAGE), ("a", f" {PAGE}!")), "2"),
        },
        good={
            "a digit": file(("2 and 2", "4"), ("2 and 3", "4")),
            "a sign": file(("5 + 1", "a"), ("5 / 1", "a")),
        },
    ),
    Proof(
        rules.CONFLICT,
        bad={
            "two answers": Bad(file(("a", "yes"), ("b", "yes"), ("a", "no")), "1"),
            "two, one of them twice": Bad(
                file(("a", "yes"), ("a", "no"), ("a", "no")), "1", {("701", "3")}
            ),
        },
        good={
            "one answer in two spellings": file(("a", "Yes"), ("a", "yes.")),
            "two questions": file(("a", "yes"), ("b", "no")),
        },
    ),
    in_answers(rules.BLANK_ANSWER, [" ", "\n\t\u00a0"], ["", "."]),
    in_answers(
        rules.ANSWER_CUT,
        ["Run this: ```python\nx = 1", '{"a": [1, 2', "Call f(", LONG],
        ["Run ```x = 1```", '{"a": [1, 2]}', "Sorry :(", f"{LONG}.", f"- {LONG}"],
    ),
    Proof(
        rules.LONG_TAIL,
        bad={
            "one of fifty times the length": Bad(tokens({100: 99, 5000: 1})),
            "1 % with 29 %": Bad(tokens({100: 990, 4000: 10})),
        },
        good={
            "1 % with 8 %": tokens({100: 990, 900: 10}),
            "too few to tell": tokens({100: 8, 5000: 1}),
        },
    ),
    Proof(
        rules.CONTAMINATION,
        bad={
            "the same": Bad(both(("a", "b"), ("a", "b")), "2"),
            "nearly the same": Bad(both(("a", "b"), ("A", "b.")), "2"),
        },
        good={
            "another question": both(("a", "b"), ("c", "b")),
            "the other way round": both(("a", "b"), ("b", "a")),
        },
    ),
    Proof(
        rules.SHARED_PROMPT,
        bad={
            "another answer": Bad(both(("a", "b"), ("a", "c")), "2"),
            "an empty answer": Bad(both(("a", "b"), ("a", "")), "2"),
        },
        good={
            "another question": both(("a", "b"), ("c", "d")),
            "the same answer": both(("a", "b"), ("c", "b")),
        },
    ),
    Proof(
        rules.ONE_LENGTH,
        bad={
            "many at 256": Bad(answer_tokens({100: 20, 256: 12})),
            "all at 1,024": Bad(answer_tokens({1024: 5})),
        },
        good={
            "lengths close by": answer_tokens({255: 4, 256: 5}),
            "short labels": answer_tokens({10: 100, 12: 100}),
        },
    ),
    Proof(
        rules.NOT_COMPARED,
        bad={
            "one more": Bad(file(*THREE, limit=2)),
            "two more": Bad(file(*THREE, limit=1)),
        },
        good={"as many": file(("a", "1"), ("b", "2"), limit=2), "fewer": file(("a", "1"), limit=2)},
    ),
    in_answers(
        rules.SECRET,
        [f"Use {GITHUB}.", f"token={GITHUB}"],
        [f"Use {GITHUB[:-1]}.", "gh" + "p_" + "x" * 36],
    ),
    in_answers(
        rules.PRIVATE_KEY,
        [f"{BEGIN}PRIVATE KEY-----\n{KEY_BODY}\n", f"{BEGIN}RSA PRIVATE KEY-----\\n{KEY_BODY}"],
        [f"{BEGIN}PUBLIC KEY-----\n{KEY_BODY}\n", f"It begins with {BEGIN}PRIVATE KEY-----."],
    ),
    in_answers(
        rules.PASSWORD,
        ["postgres://ann:s3cr3tly@db/a", "https://ann:Tr0ub4dor@corp/"],
        ["postgres://ann:<password>@db/a", "http://localhost:8080/a@b"],
    ),
    in_answers(
        rules.EMAIL,
        ["ann@corp.com", "Ann.Lee+x@mail.corp.co.uk"],
        ["ann@example.com", "\n@app.route('/')"],
    ),
    in_answers(
        rules.PHONE, ["+49 151 23456789", "(415) 867-5309"], ["(415) 555-0123", "256-512-10240"]
    ),
    in_answers(
        rules.CARD,
        ["4111 1111 1111 1111", "378282246310005"],
        ["4111 1111 1111 1112", "1234567812345670"],
    ),
    in_answers(
        rules.IBAN,
        ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"],
        ["DE89 3704 0044 0532 0130 01", "DE8937040044053201300"],
    ),
    in_answers(rules.REPLACEMENT, ["na\ufffdve", "\ufffd"], ["na\u00efve", "Write \\ufffd."]),
    in_answers(
        rules.INVISIBLE,
        ["pass\u200bword", "hy\u00adphen"],
        ["\U0001f468\u200d\U0001f469", "\u0645\u06cc\u200c\u062e"],
    ),
    in_answers(
        rules.BIDI, ["\u202eabc", "a\u2066b\u2069"], ["\u05d0\u200e-\u200f\u05d1", "Write \\u202e."]
    ),
]
