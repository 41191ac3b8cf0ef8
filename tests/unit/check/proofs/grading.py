"""Proofs of the rules of graders, 602 to 608."""

from typing import Any

from tests.unit.check.proofs.cases import Bad, Grader, Proof
from tunedrop_check.rules import format_rules

CHECK: dict[str, Any] = {
    "type": "string_check",
    "name": "a",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
}
SIMILAR: dict[str, Any] = {
    "type": "text_similarity",
    "name": "b",
    "evaluation_metric": "bleu",
    "input": "{{ sample.output_json.summary }}",
    "reference": "{{ item.truth.summary }}",
}
SCORE: dict[str, Any] = {
    "type": "score_model",
    "name": "c",
    "model": "o3-mini-2025-01-31",
    "input": [
        {"role": "user", "content": 'Compare {"a": {{item.answer}}} with {{sample.output_text}}.'}
    ],
    "range": [0, 10],
    "sampling_params": {"seed": 1},
}
SOURCE_BYTES = 256 * 1024
SOURCE = "import json\n\ndef grade(sample, item):\n    return 1.0\n"
PYTHON: dict[str, Any] = {"type": "python", "name": "d", "source": SOURCE}
PARTS = SCORE | {
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "{{item.answer}}"}]}]
}


def multi(formula: Any = "(a + b) / 2", **parts: Any) -> dict[str, Any]:
    """A multigrader over a and b."""
    return {
        "type": "multi",
        "name": "m",
        "graders": parts or {"a": CHECK, "b": SIMILAR},
        "calculate_output": formula,
    }


def bad(grader: Any, place: str = "") -> Bad:
    """A grader that breaks the rule at this place."""
    return Bad(Grader(grader), place)


def padded(size: int) -> dict[str, Any]:
    """A Python grader of so many bytes."""
    return PYTHON | {"source": SOURCE + "#" * (size - len(SOURCE))}


PROOFS = [
    Proof(
        format_rules.GRADER_SHAPE,
        bad={
            "a string": bad("string_check"),
            "null": bad(None),
            "no type": bad({"name": "a"}),
            "another type": bad(CHECK | {"type": "label_model"}, "/type"),
            "a type that is a list": bad(CHECK | {"type": ["multi"]}, "/type"),
            "a name that is a number": bad(CHECK | {"name": 1}, "/name"),
            "no input": bad(
                {key: value for key, value in CHECK.items() if key != "input"}, "/input"
            ),
            "a reference that is a number": bad(SIMILAR | {"reference": 4}, "/reference"),
            "messages as a text": bad(SCORE | {"input": "Compare."}, "/input"),
            "no messages": bad(SCORE | {"input": []}, "/input"),
            "a message without content": bad(SCORE | {"input": [{"role": "user"}]}, "/input"),
            "a range of one": bad(SCORE | {"range": [1]}, "/range"),
            "a source that is a list": bad(PYTHON | {"source": [SOURCE]}, "/source"),
            "no graders": bad(multi() | {"graders": {}}, "/graders"),
            "graders as a list": bad(multi() | {"graders": [CHECK]}, "/graders"),
            "a multigrader in another": bad(multi("a", a=multi()), "/graders/0/type"),
        },
        good={
            "string check": Grader(CHECK),
            "without a name": Grader(
                {key: value for key, value in SIMILAR.items() if key != "name"}
            ),
            "score model": Grader(SCORE),
            "score model with parts": Grader(PARTS),
            "Python": Grader(PYTHON),
            "multi": Grader(multi()),
            "multi of all kinds": Grader(
                multi("max(a, b) * c ^ d", a=CHECK, b=SIMILAR, c=SCORE, d=PYTHON)
            ),
        },
    ),
    Proof(
        format_rules.GRADER_OPERATION,
        bad={
            "neq": bad(CHECK | {"operation": "neq"}, "/operation"),
            "another case": bad(CHECK | {"operation": "EQ"}, "/operation"),
            "none": bad(
                {key: value for key, value in CHECK.items() if key != "operation"}, "/operation"
            ),
            "cosine": bad(SIMILAR | {"evaluation_metric": "cosine"}, "/evaluation_metric"),
            "rouge_6": bad(SIMILAR | {"evaluation_metric": "rouge_6"}, "/evaluation_metric"),
            "inside a multigrader": bad(
                multi("a", b=SIMILAR, a=CHECK | {"operation": "ne "}), "/graders/1/operation"
            ),
        },
        good={name: Grader(CHECK | {"operation": name}) for name in ("eq", "ne", "like", "ilike")}
        | {
            name: Grader(SIMILAR | {"evaluation_metric": name})
            for name in ("fuzzy_match", "gleu", "meteor", "rouge_1", "rouge_5", "rouge_l")
        },
    ),
    Proof(
        format_rules.GRADER_MODEL,
        bad={
            repr(model): bad(SCORE | {"model": model}, "/model")
            for model in ("gpt-5", "gpt-4o-mini-2024-07-18", "o3-mini-", "", None, 4)
        },
        good={
            model: Grader(SCORE | {"model": model})
            for model in ("gpt-4o-2024-08-06", "o3-mini-2025-01-31")
        },
    ),
    Proof(
        format_rules.GRADER_UNDATED,
        bad={
            model: bad(SCORE | {"model": model}, "/model")
            for model in ("o3-mini", "o4-mini", "o1", "o3", "gpt-4o")
        },
        good={
            model: Grader(SCORE | {"model": model})
            for model in ("gpt-4o-2024-08-06", "o3-mini-2025-01-31")
        },
    ),
    Proof(
        format_rules.GRADER_SOURCE,
        bad={
            "one byte over": bad(padded(SOURCE_BYTES + 1), "/source"),
            "over in bytes, not in characters": bad(
                PYTHON | {"source": SOURCE + "#" + "\u00e9" * (SOURCE_BYTES // 2)}, "/source"
            ),
            "no function": bad(PYTHON | {"source": "grade = 1"}, "/source"),
            "another function": bad(
                PYTHON | {"source": "def grader(sample, item):\n    return 1.0"}, "/source"
            ),
            "a method": bad(
                PYTHON | {"source": "class A:\n    def grade(sample, item):\n        return 1.0"},
                "/source",
            ),
            "empty": bad(PYTHON | {"source": ""}, "/source"),
        },
        good={
            "at the limit": Grader(padded(SOURCE_BYTES)),
            "annotated": Grader(
                PYTHON
                | {"source": "def grade (sample: dict, item: dict) -> float:\n    return 1.0"}
            ),
            "braces of its own": Grader(PYTHON | {"source": SOURCE + "x = '{{anything}}'"}),
        },
    ),
    Proof(
        format_rules.GRADER_FORMULA,
        bad={
            repr(text)[:24]: bad(multi(text), "/calculate_output")
            for text in (
                "",
                "a +",
                "a b",
                "a, b",
                "(a",
                "a)",
                "max()",
                "max(a,)",
                "c",
                "mean(a, b)",
                "a ** 2",
                "a % 2",
                "__import__('os')",
                "(" * 5000,
                None,
                1,
            )
        },
        good={
            text[:24]: Grader(multi(text))
            for text in (
                "a",
                "0.5*a + .5*b",
                "-a^2",
                "max(a, min(b, 1)) / 2",
                "sqrt(abs(a)) - log(exp(b))",
                "floor(a) * ceil(b) * 1e-3",
                "(" * 4000 + "a" + ")" * 4000,
            )
        },
    ),
    Proof(
        format_rules.GRADER_REFERENCE,
        bad={
            "no name space": bad(CHECK | {"reference": "{{answer}}"}, "/reference"),
            "another name space": bad(CHECK | {"reference": "{{items.answer}}"}, "/reference"),
            "no field": bad(CHECK | {"input": "{{sample}}"}, "/input"),
            "not closed": bad(CHECK | {"reference": "{{item.answer}"}, "/reference"),
            "an expression": bad(CHECK | {"reference": "{{item.a + item.b}}"}, "/reference"),
            "in a message": bad(
                SCORE | {"input": [{"role": "user", "content": "{{ answer }}"}]}, "/input/0"
            ),
        },
        good={
            "blanks": Grader(CHECK | {"reference": "{{  item.answer  }}"}),
            "nested": Grader(CHECK | {"reference": "{{item.a.b[0].c-d}}"}),
            "no template": Grader(CHECK | {"reference": "{item.answer}"}),
            "in braces": Grader(CHECK | {"reference": "{{{item.answer}}}"}),
        },
    ),
    Proof(
        format_rules.SAMPLE_REFERENCE,
        bad={
            "a slip": bad(CHECK | {"input": "{{sample.output_txt}}"}, "/input"),
            "another part": bad(CHECK | {"input": "{{sample.choices[0].message}}"}, "/input"),
        },
        good={
            "text": Grader(CHECK),
            "a field of its JSON": Grader(CHECK | {"input": "{{sample.output_json.a[1]}}"}),
            "a field of the line with this name": Grader(
                CHECK | {"reference": "{{item.output_txt}}"}
            ),
        },
    ),
]
