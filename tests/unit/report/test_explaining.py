"""Each figure of a report beside the one that it comes from."""

from typing import Any

import pytest

from shared.report import explaining, model
from shared.report.render import to_html
from tests.unit.report.samples import a_data_part, a_report, a_succeeded, a_training


def a_bill(tokens: int | None, **money: Any) -> model.Report:
    """The report of a training file of so many tokens and this bill."""
    total = (
        None
        if tokens is None
        else model.Tokens(min=1, max=9, mean=5, median=5, sum=tokens, p5=1, p95=9)
    )
    facts: dict[str, Any] = {
        "price_table_date": "2026-11-24",
        "usd_per_million_tokens": 5.0,
        "billed_by_service": True,
        **money,
    }
    return a_report(data=[a_data_part(total=total)], money=model.MoneyPart.model_validate(facts))


@pytest.mark.parametrize(
    ("report", "told"),
    [
        pytest.param(
            a_bill(6_006, billed_tokens=19_000, epochs=3, training_usd=0.095),
            "The training file has 6,006 tokens; 3 epochs make 18,018, billed as 19,000: the "
            "service rounds up to a thousand. "
            "At $5.00 per million tokens this is $0.10.",
            id="rounded up",
        ),
        pytest.param(
            a_bill(6_006, billed_tokens=21_000, epochs=3, training_usd=0.105),
            "The training file has 6,006 tokens; 3 epochs make 18,018. The service says that "
            "it billed 21,000. "
            "At $5.00 per million tokens this is $0.11.",
            id="another bill than is reckoned",
        ),
        pytest.param(
            a_bill(29_000, billed_tokens=87_000, epochs=3, training_usd=0.435),
            (
                "The training file has 29,000 tokens; 3 epochs make 87,000, which are billed. At "
                "$5.00 per million tokens this is $0.44."
            ),
            id="exactly",
        ),
        pytest.param(
            a_bill(
                1_000, billed_tokens=1_000, epochs=1, training_usd=None, usd_per_million_tokens=None
            ),
            "The training file has 1,000 tokens; 1 epoch makes 1,000, which are billed.",
            id="one epoch, no price",
        ),
        pytest.param(
            a_bill(None, billed_tokens=5_000, training_usd=0.025),
            "5,000 tokens are billed. At $5.00 per million tokens this is $0.03.",
            id="no scan",
        ),
        pytest.param(
            a_bill(
                29_000, billed_tokens=87_000, epochs=3, training_usd=0.435, billed_by_service=False
            ),
            (
                "The training file has 29,000 tokens; 3 epochs make 87,000, which are billed. At "
                "$5.00 per million tokens this is $0.44. The service has told no bill: this holds "
                "for a job that ran to its end."
            ),
            id="no bill",
        ),
        pytest.param(a_bill(6_006), "", id="nothing billed"),
    ],
)
def test_bill_is_led_back_to_the_tokens_of_the_file(report: model.Report, told: str) -> None:
    """Tokens, epochs, product, what is billed and why it differs, price."""
    assert explaining.billing(report) == told


@pytest.mark.parametrize(("trained", "told"), [(148_293, True), (132_000, False), (None, False)])
def test_count_of_the_service_is_told_apart_from_the_bill(trained: int | None, told: bool) -> None:
    """Where the two differ the page says what each is."""
    report = a_succeeded().model_copy(update={"training": a_training(trained_tokens=trained)})
    assert bool(explaining.trained(report)) is told


WORST: dict[str, Any] = {
    "worst_case_usd": 4.255,
    "training_usd_at_most": 0.855,
    "hosting_usd_at_most": 3.4,
    "tokens_at_most": 57_000,
    "epochs_at_most": 3,
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param(
            {},
            (
                "At most: $0.86 for the training of at most 57,000 tokens (texts, declarations of "
                "tools, other fields and images, all counted in full) over 3 epochs and $3.40 for "
                "the hours of the deployment until the run has ended. This figure, not the "
                "estimate, must stay within the budgets."
            ),
            id="training and hosting",
        ),
        pytest.param(
            {"training_usd_at_most": 0, "tokens_at_most": 0},
            "At most: $3.40 for the hours of the deployment until the run has ended. "
            "This figure, not the estimate, must stay within the budgets.",
            id="a model that is trained already",
        ),
        pytest.param({"worst_case_usd": None}, "", id="a run that never came to the gate"),
    ],
)
def test_worst_case_is_told_by_its_parts(changes: dict[str, Any], told: str) -> None:
    """The figure by which gate and wallet decide, and how it is reckoned."""
    assert explaining.worst_case(a_bill(6_006, **(WORST | changes))) == told


def test_worst_case_stands_beside_the_estimate() -> None:
    """In a run that bought something, and in one that was rejected before it could."""
    bought = to_html(a_bill(6_006, billed_tokens=19_000, epochs=3, training_usd=0.095, **WORST))
    assert "<dt>The run, at most</dt>" in bought
    assert "$4.26" in bought
    rejected = to_html(a_bill(6_006, training_usd=0.0, training_is_estimate=False, **WORST))
    assert "It could have cost $4.26 until its end." in rejected


def test_price_that_is_not_of_the_table_is_told() -> None:
    """Its own date, or that it is the owner's worst case."""
    assert explaining.prices(a_bill(None)) == "Price table of 2026-11-24."
    assert "is older, from 2024-07-01." in explaining.prices(
        a_bill(None, training_price_date="2024-07-01")
    )
    assert "no training price for this model" in explaining.prices(
        a_bill(None, training_price_is_assumed=True)
    )


def test_question_of_the_data_is_told_with_its_line_and_its_own_answer() -> None:
    """A row of the validation data proves more than a question about something else; how near the
    answer is, decides nothing.
    """
    row = {
        "row_of": "validation",
        "row_line": 3,
        "known_answer": "Take the 10:32.",
        "words_in_common": 0.6666,
    }
    smoke = model.SmokePart(
        verdict="passed",
        messages=[model.MessagePart(role="user", content="?")],
        answer="The 10:32.",
        attempts=1,
    )
    report = a_report(smoke_test=smoke.model_copy(update=row))
    told = (
        "The question is line 3 of the validation data. "
        "The answer contains 66.7 % of the words of the answer in the data; this share decides "
        "nothing."
    )
    assert explaining.question(report) == told
    page = to_html(report)
    assert told in page
    assert "Take the 10:32." in page
    assert explaining.question(a_report(smoke_test=smoke)) == ""
