"""What a wrong field of job.json is told as: its name, the form that is wanted, and what was
probably meant.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared import field_words
from shared.errors import PlanRejected
from shared.json_input import wrong_fields
from shared.models.api import StartRequest
from shared.models.job_file import DeployRequest, JobFile
from shared.runs import planning

MODELS: list[type[BaseModel]] = [JobFile, StartRequest, DeployRequest]
OF_PYDANTIC = (
    "Input should",
    "String should",
    "Value error",
    "List should",
    "validation error",
    "Field required",
    "unit",
)
SCALARS: list[Any] = [
    None,
    True,
    -1,
    0,
    10**9,
    1.5,
    -0.5,
    1e300,
    "",
    "canary",
    "x" * 30_000,
    "\ud800",
]
VALUES: list[Any] = [*SCALARS, [], ["canary"], [1], {}, {"canary": 1}]


def told(job: object) -> str:
    """What is said of this job.json, without its frame."""
    with pytest.raises(PlanRejected) as caught:
        planning.checked(job)
    message = caught.value.problem.message
    assert message.startswith("job.json: ")
    return message.removeprefix("job.json: ").removesuffix(".")


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        pytest.param({"surprise": 1}, "an unknown field `surprise`", id="nothing near"),
        pytest.param(
            {"modle": "x"}, "an unknown field `modle` (did you mean `model`?)", id="a slip"
        ),
        pytest.param(
            {"deployment": {"nme": 1}},
            "an unknown field `nme` in deployment (did you mean `deployment.name`?)",
            id="inside",
        ),
        pytest.param(
            {"nEpochs": 3},
            "an unknown field `nEpochs` (did you mean `hyperparameters.n_epochs`?)",
            id="another spelling",
        ),
        pytest.param(
            {"n_epochs": 3},
            "an unknown field `n_epochs` (did you mean `hyperparameters.n_epochs`?)",
            id="another place",
        ),
        pytest.param(
            {"epochs": 3},
            "an unknown field `epochs` (did you mean `hyperparameters.n_epochs`?)",
            id="epochs",
        ),
        pytest.param(
            {"base_model": "m"},
            "an unknown field `base_model` (did you mean `model`?)",
            id="base model",
        ),
        pytest.param(
            {"budget_usd": 1},
            "an unknown field `budget_usd` (did you mean `budget.usd`?)",
            id="budget",
        ),
        pytest.param(
            {"learning_rate": 1},
            (
                "an unknown field `learning_rate` (set `hyperparameters.learning_rate_multiplier`, "
                "a factor on the service's own rate)"
            ),
            id="learning rate",
        ),
        pytest.param(
            {"hyperparameters": {"beta": 0.1}},
            (
                "an unknown field `beta` in hyperparameters (it belongs to the method `dpo`, which "
                "is not supported yet)"
            ),
            id="beta is DPO's and not budget",
        ),
        pytest.param(
            {"lora_rank": 8},
            "an unknown field `lora_rank` (the service has no such setting)",
            id="another tool's own",
        ),
        pytest.param(
            {"training_file": "x"},
            "an unknown field `training_file` (the training data is the blob training_set.jsonl)",
            id="the data",
        ),
        pytest.param({"a": 1, "b": 2}, "an unknown field `a`; an unknown field `b`", id="two"),
        pytest.param(
            {"smoke_test": {"messages": [{"role": "user", "content": "x", "weight": 1}]}},
            "an unknown field `weight` in smoke_test.messages.0",
            id="in a list",
        ),
        pytest.param(
            {"seed": -1},
            "`seed` must be a whole number from 0 to 2,147,483,647",
            id="out of its range",
        ),
        pytest.param(
            {"seed": 1.5},
            (
                "`seed` must be a whole number from 0 to 2,147,483,647, not a number with a "
                "decimal point"
            ),
            id="0.5",
        ),
        pytest.param(
            {"seed": "1"},
            "`seed` must be a whole number from 0 to 2,147,483,647, not a text",
            id="a number in quotes",
        ),
        pytest.param(
            {"hyperparameters": {"n_epochs": 0}},
            '`hyperparameters.n_epochs` must be a whole number from 1 to 50, or "auto"',
            id="auto",
        ),
        pytest.param(
            {"validation_split": 2},
            "`validation_split` must be a number above 0 and below 1",
            id="between",
        ),
        pytest.param(
            {"training_type": "x"},
            '`training_type` must be "Standard", "GlobalStandard" or "Developer"',
            id="one of three",
        ),
        pytest.param(
            {"retrain": "yes"}, "`retrain` must be true or false, not a text", id="a switch"
        ),
        pytest.param({"evaluation": {}}, "`evaluation.metric` is missing", id="missing"),
        pytest.param(
            {"smoke_test": {"messages": []}},
            "`smoke_test.messages` must be a list of 1 to 50 entries",
            id="an empty list",
        ),
        pytest.param(
            {"hyperparameters": None},
            "`hyperparameters` must be an object in braces, not null",
            id="null",
        ),
        pytest.param([], "the whole must be an object in braces, not a list", id="a list"),
    ],
)
def test_wrong_field_is_told_in_plain_words(job: object, sentence: str) -> None:
    """Name, form and meaning; never the value."""
    assert told(job) == sentence


@pytest.mark.parametrize(
    "name",
    [
        "<b>",
        "a b",
        "x\n",
        "\u202ereversed",
        "\x1b[31m",
        "ключ",
        "a" * 65,
        "",
        "$ref",
        "'; --",
        "a.b",
        "{{7*7}}",
    ],
    ids=ascii,
)
def test_name_that_is_no_identifier_is_not_repeated(name: str) -> None:
    """Text of a drop reaches no message: letters, digits, `_` and `-`, at most 64, or nothing."""
    assert told({name: 1}) == "an unknown field"


def test_field_of_a_started_run_is_named_by_its_whole_path() -> None:
    """In the body of an HTTP start, job.json's fields stand under `job`."""
    with pytest.raises(ValidationError) as caught:
        StartRequest.model_validate({"run": "a", "job": {"epochs": 3, "seed": -1}})
    said = wrong_fields(caught.value, StartRequest)
    assert "`job.seed` must be" in said
    assert "an unknown field `epochs` in job (did you mean `job.hyperparameters.n_epochs`?)" in said


def places(
    schema: dict[str, Any], node: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The path of each field; an entry of a list is marked by `0`."""
    yield path
    for one in field_words.choices(schema, node):
        for name, inner in one.get("properties", {}).items():
            yield from places(schema, inner, (*path, name))
        if "items" in one:
            yield from places(schema, one["items"], (*path, "0"))


def nested(path: tuple[str, ...], value: Any) -> Any:
    """The value at this place of an otherwise empty document."""
    for part in reversed(path):
        value = [value] if part == "0" else {part: value}
    return value


@pytest.mark.parametrize("model", MODELS)
def test_no_error_of_any_field_is_told_in_the_words_of_the_library(model: type[BaseModel]) -> None:
    """Every field, given each kind of value: whatever is refused is told in ours, and no value is
    quoted.
    """
    schema, told_of = model.model_json_schema(), 0
    for path, value in itertools.product(places(schema, schema), VALUES):
        try:
            model.model_validate(json.loads(json.dumps(nested(path, value))))
        except ValidationError as error:
            said, told_of = wrong_fields(error, model), told_of + 1
            assert [word for word in OF_PYDANTIC if word in said] == [], (path, value)
            assert said
            assert "`canary`" in said or "canary" not in said
    assert told_of > 200


@pytest.mark.parametrize("model", MODELS)
def test_every_pattern_has_its_words(model: type[BaseModel]) -> None:
    """A field with a pattern is told as people write it, not as an expression."""

    def patterns(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (str(value) for name, value in node.items() if name == "pattern")  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            node = list(node.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        if isinstance(node, list):
            for inner in node:  # pyright: ignore[reportUnknownVariableType]
                yield from patterns(inner)

    assert set(patterns(model.model_json_schema())) <= set(field_words.PATTERNS)
