"""Dollars as people read them."""

import ast
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.house.repository import APP, modules, name_of, tree_of
from tunedrop_check.counting import money, pricing


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param(0, "$0", id="free"),
        pytest.param(0.0004, "under $0.01", id="never a rounded zero"),
        pytest.param(0.005, "$0.01", id="half a cent"),
        pytest.param(0.105, "$0.11", id="a tie whose double lies above or below"),
        pytest.param(0.435, "$0.44", id="a tie whose double lies below"),
        pytest.param(1.7, "$1.70", id="two digits of cents"),
        pytest.param(999.994, "$999.99", id="cents below a thousand"),
        pytest.param(999.995, "$1,000", id="rounds to a thousand"),
        pytest.param(1_224.0, "$1,224", id="whole dollars"),
        pytest.param(1_224.5, "$1,225", id="a tie of dollars"),
        pytest.param(2_804_999.5, "$2,805,000", id="separators"),
        pytest.param(-0.435, "-$0.44", id="a refund"),
    ],
)
def test_dollars_are_told_with_half_a_cent_rounded_up(value: float, told: str) -> None:
    """Sign, separators, and as many digits as help."""
    assert money.usd(value) == told
    assert money.amount(value) == told.replace("$", "")


def test_no_tie_of_half_a_cent_is_told_a_cent_low() -> None:
    """All 200 half cents below two dollars go up, whichever side their double lies on."""
    ties = [cents + 0.5 for cents in range(200)]
    assert [money.amount(tie / 100) for tie in ties] == [
        f"{Decimal(int(tie) + 1) / 100:.2f}" for tie in ties
    ]


@pytest.mark.parametrize(
    ("billed", "usd"), [(21_000, "$0.11"), (87_000, "$0.44"), (129_000, "$0.65")]
)
def test_price_of_a_training_is_reckoned_in_decimal(billed: int, usd: str) -> None:
    """Price times tokens keeps its half cent: 5 dollars a million for 21,000, 87,000 and 129,000
    tokens.
    """
    price = pricing.training_cost(pricing.prices(), "gpt-4.1-mini-2025-04-14", billed)
    assert price.usd is not None
    assert money.usd(price.usd) == usd


def test_factor_of_a_training_type_adds_no_dust() -> None:
    """What a factor makes of a price is the decimal product."""
    table = pricing.prices()
    price = pricing.training_cost(table, "gpt-4.1-mini", 3_000_000, "Standard")
    factor, base = (
        table.training_type_factor["standard"],
        table.training_usd_per_million_tokens["gpt-4.1-mini"],
    )
    assert price.usd == float(3 * money.exact(factor) * money.exact(base))


@pytest.mark.parametrize("path", modules(*APP, "tunedrop"), ids=name_of)
def test_nothing_rounds_money_by_itself(path: Path) -> None:
    """No module formats a number to two digits, as `.2f` would: dollars have one home."""
    specs = [
        node.value
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [spec for spec in specs if spec in {".2f", ",.2f"}] == []


def test_sums_and_products_of_dollars_keep_no_dust() -> None:
    """What binary fractions would put a hair under a half cent stays at it: all prices of a cent to
    a dollar, for 500 to 99,500 tokens.
    """
    for rate in range(1, 101):
        for tokens in range(500, 100_000, 9_900):
            assert (
                money.exact(money.price(tokens, rate / 100)) == Decimal(rate) * tokens / 100_000_000
            )
    assert money.total(0.1, 0.2) == 0.3
    assert money.total(*[0.005] * 3) == 0.015


@pytest.mark.parametrize("path", modules(*APP), ids=name_of)
def test_nothing_reckons_the_price_of_tokens_by_itself(path: Path) -> None:
    """No module divides by a million but the home of money, so that nothing is a cent low by binary
    fractions.
    """
    dividing = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    by_a_million = [
        node
        for node in dividing
        if isinstance(node.right, ast.Constant) and node.right.value == 1_000_000
    ]
    assert by_a_million == [] or path.name == "money.py"
