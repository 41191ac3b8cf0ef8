"""The base-model table."""

import pytest

from tunedrop_check.counting import vocabulary
from tunedrop_check.models import base_models


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
        ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
        ("GPT-4o", "gpt-4o-2024-08-06"),
        ("gpt-35-turbo", "gpt-35-turbo-0613"),
        ("gpt-35-turbo-0613", "gpt-35-turbo-0613"),
        ("gpt-4o-mini-2024-07-18.ft-0a1b2c", "gpt-4o-mini-2024-07-18"),
        ("gpt-4.1-2025-04-14.ft-0a1b2c-travel:ckpt-step-90", "gpt-4.1-2025-04-14"),
    ],
)
def test_base_model_is_found_by_each_of_its_names(name: str, expected: str) -> None:
    """Full, short, and former result's names lead to one entry."""
    assert base_models.base_model(name).name == expected


def test_base_model_names_the_nearest_when_unknown() -> None:
    """A slip of the pen is answered with the model that was meant."""
    with pytest.raises(base_models.UnknownModel) as caught:
        base_models.base_model("gpt-4.1-mni<script>")
    assert caught.value.nearest == "gpt-4.1-mini-2025-04-14"
    assert "script" not in str(caught.value)


def test_every_model_has_a_carried_encoding() -> None:
    """No model asks for a vocabulary that isn't there."""
    assert {model.encoding for model in base_models.KNOWN.values()} <= vocabulary.DEFINITIONS.keys()


def test_lab_model_has_the_labs_limit() -> None:
    """The lab's model counts with cl100k_base up to 4,096 tokens."""
    model = base_models.base_model("gpt-35-turbo-0613")
    assert (model.encoding, model.max_example_tokens) == ("cl100k_base", 4096)
