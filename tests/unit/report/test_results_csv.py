"""The service's results.csv as points of a curve."""

import base64

import pytest

from shared.report.model import CurvePoint
from shared.report.results_csv import ResultsUnreadable, parse_results

PLAIN = (
    b"step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,full_valid_loss,full_valid_mean_token_accuracy\n"
    b"1,2.5,0.41,,,,\n"
    b"2,1.25,0.62,1.5,0.55,1.75,0.5\n"
)
POINTS = [
    CurvePoint(step=1, train_loss=2.5, train_mean_token_accuracy=0.41),
    CurvePoint(
        step=2,
        train_loss=1.25,
        train_mean_token_accuracy=0.62,
        valid_loss=1.5,
        valid_mean_token_accuracy=0.55,
        full_valid_loss=1.75,
        full_valid_mean_token_accuracy=0.5,
    ),
]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="as documented"),
        pytest.param(
            PLAIN.replace(b"validation_mean", b"valid_mean"), id="accuracy named as in the events"
        ),
        pytest.param(base64.b64encode(PLAIN), id="base64"),
        pytest.param(base64.encodebytes(PLAIN), id="base64 in lines"),
        pytest.param(PLAIN.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(PLAIN.rstrip(), id="no newline at the end"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, id="byte-order mark"),
        pytest.param(PLAIN.replace(b",", b", "), id="spaces after commas"),
        pytest.param(PLAIN.replace(b"\n1,", b"\n1.0,"), id="step as a float"),
        pytest.param(
            PLAIN.replace(b"\n1,2.5,0.41,,,,\n2,", b"\n2,") + b"1,2.5,0.41,,,,\n",
            id="rows out of order",
        ),
    ],
)
def test_results_give_one_point_per_step_whatever_the_spelling(content: bytes) -> None:
    """Every spelling of the same table gives the same points, in the order of steps."""
    assert parse_results(content) == POINTS


@pytest.mark.parametrize(
    ("content", "loss"),
    [
        pytest.param(b"step,train_loss\n1,nan\n", None, id="not a number"),
        pytest.param(b"step,train_loss\n1,inf\n", None, id="infinite"),
        pytest.param(b"step,train_loss\n1,\n", None, id="empty"),
        pytest.param(b"step,train_loss\n1\n", None, id="short row"),
        pytest.param(b"step,train_loss,train_reward_mean\n1,0.5,abc\n", 0.5, id="unknown column"),
        pytest.param(b"step,train_loss\n1,0.5,9,9\n", 0.5, id="long row"),
    ],
)
def test_a_metric_is_absent_when_it_was_not_measured(content: bytes, loss: float | None) -> None:
    """What is empty or not finite is absent from the point, and what is not known is left aside."""
    assert parse_results(content) == [CurvePoint(step=1, train_loss=loss)]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b"<html>secret</html>", None, id="a page"),
        pytest.param(b"\xff\xfe\x00", None, id="not UTF-8"),
        pytest.param(b"epoch,train_loss\n1,secret\n", None, id="no step"),
        pytest.param(b"step,train_loss\n1,0.5\n2,secret\n", 2, id="loss is a word"),
        pytest.param(b"step,train_loss\nsecret,0.5\n", 1, id="step is a word"),
        pytest.param(b"step,train_loss\n1.5,0.5\n", 1, id="step is a fraction"),
        pytest.param(b"step,train_loss\nnan,0.5\n", 1, id="step is not a number"),
        pytest.param(b'step,train_loss\n"1,0.5\n', None, id="open quotation"),
    ],
)
def test_results_are_refused_with_the_row_and_without_its_text(
    content: bytes, row: int | None
) -> None:
    """A file that can't be read is an error that tells the row and never what stands in it."""
    with pytest.raises(ResultsUnreadable) as refusal:
        parse_results(content)
    assert refusal.value.row == row
    assert "secret" not in str(refusal.value)


def test_results_may_hold_no_step_at_all() -> None:
    """A header alone is an empty curve."""
    assert parse_results(b"step,train_loss\n") == []
