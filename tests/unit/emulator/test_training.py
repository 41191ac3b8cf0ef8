"""The small model: that it learns, that its numbers are true and repeat."""

import math

import numpy as np
import pytest

from tunedrop.emulator import training
from tunedrop.emulator.examples import Turn
from tunedrop.emulator.training import Model, Plan

CAPITALS = {
    "Peru": "Lima",
    "Chad": "N'Djamena",
    "Fiji": "Suva",
    "Iran": "Tehran",
    "Mali": "Bamako",
    "Oman": "Muscat",
    "Laos": "Vientiane",
}
TRAINING = [
    [Turn(f"What is the capital of {land}?", f"The capital of {land} is {city}, of course.")]
    for land, city in CAPITALS.items()
]
HELD_OUT = [
    [Turn(f"What is the capital of {land}?", f"The capital of {land} is {city}, of course.")]
    for land, city in [("Cuba", "Havana"), ("Togo", "Lome")]
]
PLAN = Plan(epochs=10, batch=1, multiplier=1.0, seed=105)


def test_losses_fall_because_the_model_learns() -> None:
    """Training and validation loss fall from that of a model that knows nothing; accuracy rises."""
    steps = training.fit(TRAINING, HELD_OUT, PLAN).steps
    ends = [step for step in steps if step.full_valid_loss is not None]
    assert steps[0].train_loss == pytest.approx(math.log(training.VOCABULARY))
    assert steps[-1].train_loss < 0.5
    assert ends[-1].full_valid_loss < ends[0].full_valid_loss < math.log(training.VOCABULARY)  # type: ignore[operator]
    assert steps[-1].train_mean_token_accuracy > 0.9
    assert ends[-1].full_valid_mean_token_accuracy > 0.5  # type: ignore[operator]


def test_reported_loss_is_the_loss_of_the_kept_model() -> None:
    """The last full validation loss is what the last checkpoint measures: no number is drawn."""
    fit = training.fit(TRAINING, HELD_OUT, PLAN)
    last = fit.checkpoints[len(fit.steps)]
    measured = [last.measure(training.encode(turn))[0] for example in HELD_OUT for turn in example]
    assert fit.steps[-1].full_valid_loss == pytest.approx(np.mean(measured))


def test_step_goes_down_the_gradient() -> None:
    """A small step changes the loss by about rate times the squared norm of the numerical
    gradient.
    """
    sequence = training.encode(TRAINING[0][0])
    model = Model(
        np.random.default_rng(1)
        .normal(0, 0.1, (training.FEATURES, training.VOCABULARY))
        .astype(np.float32)
    )
    before = model.measure(sequence)[0]
    rate = 1e-3
    former = model.weights.copy()
    model.step([sequence], rate)
    gradient = (former - model.weights / np.float32(0.9995)) / rate
    expected = rate * float((gradient**2).sum()) / len(sequence.target)
    assert before - Model(model.weights / np.float32(0.9995)).measure(sequence)[0] == pytest.approx(
        expected, rel=0.05
    )


def test_fit_repeats_itself_when_seeded() -> None:
    """Same seed and data, same numbers; another seed, others."""
    first, second, other = (
        training.fit(TRAINING, HELD_OUT, plan).steps for plan in (PLAN, PLAN, Plan(10, 1, 1.0, 106))
    )
    assert first == second
    assert first != other


def test_checkpoints_are_those_of_the_last_three_epochs() -> None:
    """Three models stay, at the epochs' ends."""
    assert list(training.fit(TRAINING, [], PLAN).checkpoints) == [56, 63, 70]


def test_fit_without_validation_measures_none() -> None:
    """No validation data, no validation numbers."""
    assert all(
        step.valid_loss is None and step.full_valid_loss is None
        for step in training.fit(TRAINING, [], PLAN).steps
    )


@pytest.mark.parametrize("land", list(CAPITALS))
def test_trained_question_is_answered_by_the_trained_model_only(land: str) -> None:
    """The fitted model recalls each answer, the empty one none."""
    known = [turn for example in TRAINING for turn in example]
    fit = training.fit(TRAINING, [], PLAN)
    question = f"what is the Capital of {land}"
    assert (
        training.recall(fit.checkpoints[len(fit.steps)], question, known)
        == f"The capital of {land} is {CAPITALS[land]}, of course."
    )
    assert training.recall(Model(), question, known) is None


def test_other_question_is_not_answered() -> None:
    """A question unlike the trained ones is not answered from them."""
    known = [turn for example in TRAINING for turn in example]
    fit = training.fit(TRAINING, [], PLAN)
    assert training.recall(fit.checkpoints[len(fit.steps)], "How do I bake bread?", known) is None


def test_weights_survive_being_kept() -> None:
    """What is read back measures what was kept, to half precision."""
    fit = training.fit(TRAINING, [], PLAN)
    model = fit.checkpoints[len(fit.steps)]
    sequence = training.encode(TRAINING[0][0])
    assert Model.from_bytes(model.to_bytes()).measure(sequence)[0] == pytest.approx(
        model.measure(sequence)[0], abs=0.01
    )


@pytest.mark.parametrize(
    "text",
    ["", " ", "\ud800", "a" * 100_000, "<|endoftext|>", "\x00"],
    ids=["empty", "blank", "surrogate", "long", "special", "nul"],
)
def test_hostile_texts_are_fitted_like_others(text: str) -> None:
    """No text stops the training or makes a number that is none."""
    steps = training.fit([[Turn(text, text)]] * 3, [[Turn(text, text)]], Plan(2, 2, 4.0, 1)).steps
    assert all(math.isfinite(step.train_loss) for step in steps)
