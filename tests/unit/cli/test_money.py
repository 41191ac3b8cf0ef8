"""The last line of a demo: what its run would have cost on Azure."""

from typing import Any

import pytest

from tunedrop.cli.demo import money

KNOWN = {"training_usd": 1.235, "deployment_usd_per_hour": 1.7, "deployment_usd_per_month": 1241.0}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        pytest.param(
            KNOWN,
            (
                "nothing here; on Azure $1.24 for the training, and $1.70 an hour while the "
                "deployment stands"
            ),
            id="all known",
        ),
        pytest.param(
            KNOWN | {"training_usd": 0.0},
            (
                "nothing here; on Azure $0 for the training, and $1.70 an hour while the "
                "deployment stands"
            ),
            id="a price of nothing",
        ),
        pytest.param(KNOWN | {"training_usd": None}, None, id="a price that is not known"),
        pytest.param({}, None, id="no report"),
    ],
)
def test_money_is_what_the_report_knows(told: dict[str, Any], sentence: str | None) -> None:
    """Both prices in words, and nothing made up where one is not known."""
    assert money(told) == sentence
