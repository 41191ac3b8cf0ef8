"""What scores the answers of a model in reinforcement fine-tuning: the grader's shape, and the
fields of a line that it reads.

A grader stands in the run's settings, not in the data: the places of its findings are JSON pointers
into the grader. Source: Azure OpenAI's guide on reinforcement fine-tuning.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import grader_formula

# What the guide allows, and its limit of 256 KB for the code of a Python grader.
OPERATIONS = frozenset({"eq", "ne", "like", "ilike"})
METRICS = frozenset(
    {"fuzzy_match", "bleu", "gleu", "meteor", *(f"rouge_{size}" for size in (1, 2, 3, 4, 5, "l"))}
)
MODELS = frozenset({"gpt-4o-2024-08-06", "o3-mini-2025-01-31"})
MAX_SOURCE_BYTES = 256 * 2**10
SAMPLE_PARTS = frozenset({"output_text", "output_json"})

# Names of the families that grade, without a date: samples of Microsoft's use them.
_UNDATED = re.compile(r"gpt-4o|o[0-9]{1,2}(?:-mini|-pro)?")
_TEMPLATE = re.compile(r"\{\{([^{}]{0,1000})\}\}")
_REFERENCE = re.compile(r"\s*(item|sample)\.([\w-]+(?:\.[\w-]+|\[\d{1,9}\])*)\s*", re.ASCII)
_STEP = re.compile(r"\[(\d+)\]|([\w-]+)", re.ASCII)
_GRADE = re.compile(r"^def[ \t]+grade[ \t]*\(", re.MULTILINE)


def check(grader: Json) -> Iterator[Finding]:
    """Everything that is wrong with a grader."""
    if isinstance(grader, dict) and grader.get("type") == "multi":
        yield from _multi(grader)
    else:
        yield from _single("", grader)


def grader_fields(grader: Json) -> frozenset[str]:
    """The fields of a line that a grader reads by its templates, such as `answer` or
    `truth.dates[0]`.
    """
    # What a Python grader reads can't be told from outside.
    texts = (text for _, text in _templated(grader))
    return frozenset(path for text in texts for space, path in _references(text) if space == "item")


def check_fields(example: JsonObject, fields: Iterable[str]) -> Iterator[Finding]:
    """The fields among these that an example lacks; null is a value, too."""
    for path in sorted(fields):
        if not _holds(example, path):
            yield finding(
                format_rules.GRADER_FIELD_MISSING,
                "".join(f"/{index or key}" for index, key in _STEP.findall(path)),
            )


def _holds(value: Json, path: str) -> bool:
    for index, key in _STEP.findall(path):
        if isinstance(value, dict) and not index and key in value:
            value = value[key]
        elif isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
        else:
            return False
    return True


def _single(place: str, grader: Json) -> Iterator[Finding]:
    kind = grader.get("type") if isinstance(grader, dict) else None
    if not isinstance(grader, dict) or not isinstance(kind, str) or kind not in _CHECKS:
        yield finding(format_rules.GRADER_SHAPE, f"{place}/type" if kind is not None else place)
        return
    if not isinstance(grader.get("name", "unnamed"), str):
        yield finding(format_rules.GRADER_SHAPE, f"{place}/name")
    yield from _CHECKS[kind](place, grader)
    for where, text in _templated(grader):
        yield from _template(f"{place}{where}", text)


def _string_check(place: str, grader: JsonObject) -> Iterator[Finding]:
    yield from _texts(place, grader, "input", "reference")
    yield from _choice(f"{place}/operation", grader.get("operation"), OPERATIONS)


def _text_similarity(place: str, grader: JsonObject) -> Iterator[Finding]:
    yield from _texts(place, grader, "input", "reference")
    yield from _choice(f"{place}/evaluation_metric", grader.get("evaluation_metric"), METRICS)


def _score_model(place: str, grader: JsonObject) -> Iterator[Finding]:
    given = grader.get("input")
    if not isinstance(given, list) or not given or not all(map(_is_message, given)):
        yield finding(format_rules.GRADER_SHAPE, f"{place}/input")
    model = grader.get("model")
    if not isinstance(model, str) or model not in MODELS:
        is_undated = isinstance(model, str) and _UNDATED.fullmatch(model)
        yield finding(
            format_rules.GRADER_UNDATED if is_undated else format_rules.GRADER_MODEL,
            f"{place}/model",
        )
    span = grader.get("range", [0, 1])
    if not isinstance(span, list) or len(span) != 2 or not all(map(_is_number, span)):
        yield finding(format_rules.GRADER_SHAPE, f"{place}/range")


def _python(place: str, grader: JsonObject) -> Iterator[Finding]:
    source = grader.get("source")
    if not isinstance(source, str):
        yield finding(format_rules.GRADER_SHAPE, f"{place}/source")
    elif len(source.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES or not _GRADE.search(
        source
    ):
        yield finding(format_rules.GRADER_SOURCE, f"{place}/source")


_CHECKS: dict[str, Callable[[str, JsonObject], Iterator[Finding]]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "score_model": _score_model,
    "python": _python,
}


def _multi(grader: JsonObject) -> Iterator[Finding]:
    parts = grader.get("graders")
    if not isinstance(parts, dict) or not parts:
        yield finding(format_rules.GRADER_SHAPE, "/graders")
        return
    for index, part in enumerate(parts.values()):
        yield from _single(f"/graders/{index}", part)
    joined = grader.get("calculate_output")
    if not isinstance(joined, str) or not grader_formula.is_sound(joined, parts.keys()):
        yield finding(format_rules.GRADER_FORMULA, "/calculate_output")


def _texts(place: str, grader: JsonObject, *names: str) -> Iterator[Finding]:
    for name in names:
        if not isinstance(grader.get(name), str):
            yield finding(format_rules.GRADER_SHAPE, f"{place}/{name}")


def _choice(place: str, value: Json, allowed: frozenset[str]) -> Iterator[Finding]:
    if not isinstance(value, str) or value not in allowed:
        yield finding(
            format_rules.GRADER_OPERATION,
            place,
            f"One of these values is expected here: {', '.join(sorted(allowed))}.",
        )


def _is_message(message: Json) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("role"), str)
        and bool(message.get("content"))
    )


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _templated(grader: Json) -> Iterator[tuple[str, str]]:
    """Place and text of each template of a grader."""
    if not isinstance(grader, dict):
        return
    parts = grader.get("graders")
    for index, part in enumerate(
        parts.values() if grader.get("type") == "multi" and isinstance(parts, dict) else ()
    ):
        # A multigrader has no multigrader inside: this is one level deep.
        if not (isinstance(part, dict) and part.get("type") == "multi"):
            yield from ((f"/graders/{index}{place}", text) for place, text in _templated(part))
    for key in ("input", "reference"):
        yield from _texts_in(f"/{key}", grader.get(key))


def _texts_in(place: str, value: Json) -> Iterator[tuple[str, str]]:
    """The text itself, or those of messages and their parts."""
    if isinstance(value, str):
        yield place, value
        return
    for index, message in enumerate(value if isinstance(value, list) else ()):
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                yield f"{place}/{index}", text


def _references(text: str) -> Iterator[tuple[str, str]]:
    for template in _TEMPLATE.finditer(text):
        if reference := _REFERENCE.fullmatch(template[1]):
            yield reference[1], reference[2]


def _template(place: str, text: str) -> Iterator[Finding]:
    references = list(_references(text))
    if len(references) < text.count("{{"):
        yield finding(format_rules.GRADER_REFERENCE, place)
    if any(
        space == "sample" and re.split(r"[.\[]", path)[0] not in SAMPLE_PARTS
        for space, path in references
    ):
        yield finding(format_rules.SAMPLE_REFERENCE, place)
