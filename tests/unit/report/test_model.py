"""The published shape of report.json."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from shared.report import model
from shared.report.render import to_json
from tests.unit.report.samples import SAMPLES, START, a_report

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs/schemas/report.schema.json").read_text(encoding="utf-8"))


def test_the_published_schema_is_the_models_own() -> None:
    """docs/schemas/report.schema.json is written from the model."""
    assert model.Report.model_json_schema() == SCHEMA


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_report_json_follows_the_published_schema_and_reads_back(
    build: Callable[[], model.Report],
) -> None:
    """Every sample is valid by the published schema, and decodes to the report that it was written
    from.
    """
    written = to_json(build())
    jsonschema.validate(json.loads(written), SCHEMA)
    assert model.Report.model_validate_json(written) == build()


def test_samples_cover_every_outcome() -> None:
    """There is a sample for each way in which a run can end."""
    assert sorted(SAMPLES) == sorted(SCHEMA["$defs"]["Outcome"]["enum"])


def test_every_outcome_is_explained_in_the_documentation() -> None:
    """docs/report.md has a row for each outcome, and none besides."""
    rows = re.findall(
        r"^\| `([a-z_]+)` \|", (ROOT / "docs/report.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(SAMPLES)


def test_an_unknown_field_is_refused_without_its_value() -> None:
    """The model is closed, and its refusal does not repeat what it was given."""
    with pytest.raises(ValidationError, match="extra_forbidden") as refusal:
        a_report(surprise="secret")
    assert "secret" not in str(refusal.value)


def test_an_instant_without_offset_is_refused() -> None:
    """Every instant of a report says which instant it is."""
    with pytest.raises(ValidationError, match="timezone"):
        a_report(ended_at=START.replace(tzinfo=None))


def test_a_loss_that_is_not_finite_is_refused() -> None:
    """JSON has no NaN: a point without a loss is absent, not infinite."""
    with pytest.raises(ValidationError, match="finite"):
        model.CurvePoint(step=1, train_loss=float("inf"))


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    """A text that UTF-8 can't carry still makes a report."""
    report = a_report(headline="a\ud83dz 😀")
    assert report.headline == "a�z 😀"
    assert "�z 😀".encode() in to_json(report)
