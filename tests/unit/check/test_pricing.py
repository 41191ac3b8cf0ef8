"""What training is said to cost."""

from pathlib import Path

import msgspec
import pytest

from tunedrop_check.counting import pricing
from tunedrop_check.counting.pricing import NotAPriceTable

TABLE = pricing.prices()


@pytest.mark.parametrize(
    ("model", "training_type", "per_million"),
    [
        pytest.param("gpt-4.1-mini", "GlobalStandard", 5.0, id="short name"),
        pytest.param("gpt-4.1-mini-2025-04-14", "GlobalStandard", 5.0, id="with its version"),
        pytest.param(
            "gpt-4.1-mini-2025-04-14.ft-0a1b-travel", "GlobalStandard", 5.0, id="a former result"
        ),
        pytest.param("GPT-4.1-nano", "globalstandard", 1.5, id="in any case"),
        pytest.param("gpt-4.1", "developerTier", 12.5, id="developer is half of global"),
        pytest.param("gpt-4o", "Developer", 12.5, id="developer's other spelling"),
        pytest.param(
            "gpt-4o-mini-2024-07-18", "Standard", 3.0 / 0.9, id="global is a tenth under regional"
        ),
    ],
)
def test_training_cost_is_tokens_times_price_of_the_training_type(
    model: str, training_type: str, per_million: float
) -> None:
    """Two million tokens cost twice the price per million."""
    price = pricing.training_cost(TABLE, model, 2_000_000, training_type)
    assert price.usd == pytest.approx(2 * per_million)
    assert price.usd_per_million_tokens == pytest.approx(per_million)


@pytest.mark.parametrize(
    ("model", "training_type"),
    [
        pytest.param("gpt-35-turbo-1106", "Standard", id="a retired model without a dated price"),
        pytest.param("o4-mini-2025-04-16", "GlobalStandard", id="a model billed by the hour"),
        pytest.param("gpt-4.1-maxi", "GlobalStandard", id="an unknown model"),
        pytest.param("gpt-4.1", "Lunar", id="an unknown training type"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_training_cost_is_absent_when_no_price_is_known(model: str, training_type: str) -> None:
    """An unknown price is None, never a guess and never zero."""
    price = pricing.training_cost(TABLE, model, 1_000_000, training_type)
    assert (price.usd, price.usd_per_million_tokens) == (None, None)


@pytest.mark.parametrize(
    ("tokens", "epochs", "billed"),
    [
        pytest.param(498, 10, 5_000, id="the job of the service's tutorial"),
        pytest.param(1, 1, 1_000, id="rounded up"),
        pytest.param(1_000, 3, 3_000, id="exact thousands stay"),
        pytest.param(0, 3, 0, id="nothing costs nothing"),
    ],
)
def test_billed_tokens_are_tokens_times_epochs_in_thousands(
    tokens: int, epochs: int, billed: int
) -> None:
    """Billing is by whole thousands of tokens seen in training."""
    assert pricing.billed_tokens(tokens, epochs) == billed


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [
        pytest.param(0, 25, id="no example"),
        pytest.param(1, 25, id="capped at 25"),
        pytest.param(10, 10, id="as a real job had"),
        pytest.param(40, 3, id="never under 3 for a small file"),
        pytest.param(499, 3, id="below 500"),
        pytest.param(500, 2, id="as the cost page shows"),
        pytest.param(40_000, 2, id="many"),
    ],
)
def test_auto_epochs_fall_when_examples_grow(examples: int, epochs: int) -> None:
    """The epochs expected for a file follow its number of examples."""
    assert pricing.auto_epochs(examples) == epochs


def test_a_price_table_survives_json_unchanged(tmp_path: Path) -> None:
    """A table can be stored as JSON, changed and given back by a setting."""
    file = tmp_path / "prices.json"
    file.write_bytes(msgspec.json.encode(TABLE))
    assert pricing.prices(file) == TABLE


@pytest.mark.parametrize(
    "field", ["training_usd_per_million_tokens", "training_type_factor", "hosting_usd_per_hour"]
)
def test_a_price_table_is_refused_when_a_price_is_negative(tmp_path: Path, field: str) -> None:
    """A negative price is no price."""
    assert refusal(
        tmp_path, msgspec.json.encode(msgspec.to_builtins(TABLE) | {field: {"standard": -1}})
    ).startswith("The file is not a price table: Expected `float` >= 0.0")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="not JSON"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(
            msgspec.json.encode(msgspec.to_builtins(TABLE) | {"currency": "EUR"}),
            id="an unknown field",
        ),
        pytest.param(
            msgspec.json.encode(msgspec.to_builtins(TABLE) | {"as_of": "yesterday"}), id="no date"
        ),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_what_is_no_price_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Anything else than a whole table is an error, so that no price is a guess."""
    assert refusal(tmp_path, content).startswith("The file is not a price table: ")


def refusal(folder: Path, content: bytes) -> str:
    """What is said of a file with this content."""
    file = folder / "prices.json"
    file.write_bytes(content)
    with pytest.raises(NotAPriceTable) as refused:
        pricing.prices(file)
    return str(refused.value)
