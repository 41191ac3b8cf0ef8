"""Training as honest work: a small language model, fitted by gradient steps to what was uploaded.

Losses are its mean cross-entropy in nats, accuracies its share of tokens predicted right; both are
measured, none is drawn from a curve.
"""

import io
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunedrop.emulator.examples import Turn, pieces

type Floats = NDArray[np.float32]
type Indices = NDArray[np.int64]

FEATURES = 1024
VOCABULARY = 512
ANSWER_TOKENS = 64
_LEARNING_RATE = 0.35
_DECAY = 0.9995


def _hashed(token: str, size: int) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) % size


def words(text: str) -> list[str]:
    """The tokens of a question that the model looks at: lower case, no signs."""
    return [piece.strip().lower() for piece in pieces(text) if piece.strip().isalnum()]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One answer as the model sees it."""

    question: Indices
    before: Indices
    """For each token, the features of the two tokens before it."""
    target: Indices


def encode(turn: Turn) -> Sequence:
    """A question and its answer as hashed features and targets."""
    tokens = pieces(turn.answer)[:ANSWER_TOKENS] or [""]
    padded = ["", "", *tokens]
    before = [
        [
            _hashed(f"1 {padded[i + 1]}", FEATURES),
            _hashed(f"2 {padded[i]} {padded[i + 1]}", FEATURES),
        ]
        for i in range(len(tokens))
    ]
    question = sorted({_hashed(f"q {word}", FEATURES) for word in words(turn.question)}) or [0]
    return Sequence(
        np.array(question),
        np.array(before),
        np.array([_hashed(token, VOCABULARY) for token in tokens]),
    )


# It predicts each token of an answer from the question's tokens and the two tokens before, all
# hashed: a log-linear model with one weight row per feature and one column per hashed token. Each
# answer counts up to 64 tokens.
class Model:
    """The weights and what is done with them."""

    def __init__(self, weights: Floats | None = None) -> None:
        self.weights: Floats = (
            np.zeros((FEATURES, VOCABULARY), dtype=np.float32) if weights is None else weights
        )

    def _probabilities(self, sequence: Sequence) -> Floats:
        share = np.float32(1 / np.sqrt(len(sequence.question)))
        logits = self.weights[sequence.question].sum(axis=0) * share + self.weights[
            sequence.before
        ].sum(axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)

    def measure(self, sequence: Sequence) -> tuple[float, float]:
        """Mean loss in nats and share of tokens predicted right."""
        return _measured(self._probabilities(sequence), sequence.target)

    def step(self, batch: list[Sequence], rate: float) -> tuple[float, float]:
        """One gradient step on a batch; the loss and accuracy before it."""
        results = [self._learn(sequence, rate / np.sqrt(len(batch))) for sequence in batch]
        self.weights *= np.float32(_DECAY)
        return float(np.mean([loss for loss, _ in results])), float(
            np.mean([accuracy for _, accuracy in results])
        )

    def _learn(self, sequence: Sequence, rate: float) -> tuple[float, float]:
        gradient = self._probabilities(sequence)
        result = _measured(gradient, sequence.target)
        gradient[np.arange(len(sequence.target)), sequence.target] -= 1
        gradient *= np.float32(rate)
        share = np.float32(1 / np.sqrt(len(sequence.question)))
        np.subtract.at(self.weights, sequence.question, gradient.sum(axis=0) * share)
        np.subtract.at(self.weights, sequence.before[:, 0], gradient)
        np.subtract.at(self.weights, sequence.before[:, 1], gradient)
        return result

    def to_bytes(self) -> bytes:
        """The weights, to be kept."""
        file = io.BytesIO()
        np.save(file, self.weights.astype(np.float16))
        return zlib.compress(file.getvalue(), level=1)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Model":
        """The model that `to_bytes` kept."""
        return cls(
            np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False).astype(np.float32)
        )


def _measured(probabilities: Floats, target: Indices) -> tuple[float, float]:
    hit = probabilities[np.arange(len(target)), target]
    return float(-np.log(np.maximum(hit, 1e-9)).mean()), float(
        (probabilities.argmax(axis=1) == target).mean()
    )


@dataclass(frozen=True, slots=True)
class Step:
    """What one step measured; `valid_*`: one validation batch; `full_valid_*`: all, at an epoch's
    end.
    """

    step: int
    train_loss: float
    train_mean_token_accuracy: float
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train."""

    epochs: int
    batch: int
    multiplier: float
    seed: int


@dataclass(frozen=True, slots=True)
class Fit:
    """The measured steps and the models at the ends of the last three epochs, by step."""

    steps: list[Step]
    checkpoints: dict[int, Model]


def fit(training: list[list[Turn]], validation: list[list[Turn]], plan: Plan) -> Fit:
    """Train; the same data, plan and seed give the same numbers."""
    # An example is one unit of a batch; all its answers stand in that batch, and an example without
    # one is left out. Cost: about 0.6 ms per answer and epoch.
    examples = [[encode(turn) for turn in example] for example in training if example]
    held_out = [encode(turn) for example in validation for turn in example]
    random = np.random.default_rng(plan.seed)
    model, steps, checkpoints = Model(), list[Step](), dict[int, Model]()
    rate = _LEARNING_RATE * min(4.0, max(0.05, plan.multiplier))
    for epoch in range(plan.epochs):
        order = random.permutation(len(examples))
        for start in range(0, len(order), plan.batch):
            chosen: list[int] = order[start : start + plan.batch].tolist()
            batch = [sequence for index in chosen for sequence in examples[index]]
            loss, accuracy = model.step(batch, rate)
            last = start + plan.batch >= len(order)
            steps.append(
                Step(
                    len(steps) + 1,
                    loss,
                    accuracy,
                    *_validated(model, held_out, len(steps), full=last),
                )
            )
        # The service keeps the checkpoints of the last three epochs.
        if epoch >= plan.epochs - 3:
            checkpoints[len(steps)] = Model(model.weights.copy())
    return Fit(steps, checkpoints)


def _validated(
    model: Model, held_out: list[Sequence], turn: int, *, full: bool
) -> tuple[float | None, ...]:
    if not held_out:
        return (None, None, None, None)
    one = model.measure(held_out[turn % len(held_out)])
    if not full:
        return (*one, None, None)
    every = np.array([model.measure(sequence) for sequence in held_out])
    return (*one, float(every[:, 0].mean()), float(every[:, 1].mean()))


def likeness(question: str, known: str) -> float:
    """How alike two questions are: cosine of their sets of words, 0 to 1."""
    asked, trained = set(words(question)), set(words(known))
    return (
        len(asked & trained) / float(np.sqrt(len(asked) * len(trained)))
        if asked and trained
        else 0.0
    )


def recall(model: Model, question: str, known: list[Turn]) -> str | None:
    """The trained answer to a trained question, as far as the model learned it; None otherwise."""
    candidates = [turn for turn in known if likeness(question, turn.question) >= 0.7]
    scored = [(_fit_of(model, question, turn), turn.answer) for turn in candidates]
    if not scored:
        return None
    loss, answer = min(scored, key=lambda pair: pair[0])
    # The model must find the best candidate markedly more likely than an untrained one would, so a
    # model that learned nothing recalls nothing.
    return answer if loss + 1 < 0.75 * float(np.log(VOCABULARY)) else None


def _fit_of(model: Model, question: str, known: Turn) -> float:
    """How well an answer goes with a question, less is better."""
    loss, _ = model.measure(encode(Turn(question, known.answer)))
    # The model's loss less the likeness of the questions.
    return loss - likeness(question, known.question)
