"""What a job's training yields: the measured curve, the models of the last three epochs,
results.csv.
"""

import csv
import io
import json
import math
from dataclasses import asdict

from tunedrop.emulator import examples, training
from tunedrop.emulator.examples import Turn
from tunedrop.emulator.openai.files import Files
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

# Columns of results.csv and the names that events use for them.
_COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_mean_token_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "validation_mean_token_accuracy": "valid_mean_token_accuracy",
    "full_valid_loss": "full_valid_loss",
    "full_valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}


def train(world: World, doc: Doc, auto_epochs: int) -> Doc:
    """Fit the model of a job and keep it; the fields that the job gets, `broken` for untrainable
    files.
    """
    epochs = doc["wanted"].get("n_epochs") or auto_epochs
    batch = doc["wanted"].get("batch_size") or max(1, min(256, doc["facts"]["examples"] // 500))
    multiplier = doc["wanted"].get("learning_rate_multiplier") or 1.0
    real: Doc = {"epochs": epochs, "batch": batch, "multiplier": multiplier}
    learned = examples.turns(world.store.content(doc["training_file"]))
    held_out = (
        examples.turns(world.store.content(doc["validation_file"]))
        if doc["validation_file"]
        else []
    )
    if not any(learned):
        message = "The training file was deleted, or holds no assistant answer to learn from."
        return real | {
            "steps": 0,
            "broken": {"code": "invalidTrainingFile", "message": message, "phase": "data"},
        }
    fit = training.fit(learned, held_out, training.Plan(epochs, batch, multiplier, doc["seed"]))
    steps = [
        {key: value for key, value in asdict(step).items() if value is not None}
        for step in fit.steps
    ]
    # Beside the job, so that a restart goes on with the same numbers.
    _keep(world, f"curve:{doc['id']}", json.dumps(steps).encode())
    known = [[turn.question, turn.answer] for example in learned for turn in example]
    _keep(world, f"known:{doc['id']}", json.dumps(known).encode())
    for step, model in fit.checkpoints.items():
        _keep(world, f"weights:{_name(doc, step, len(steps))}", model.to_bytes())
    return real | {"steps": len(steps), "checkpoint_steps": list(fit.checkpoints)}


def _keep(world: World, owner: str, data: bytes) -> None:
    world.store.delete_content(owner)
    world.store.write_content(owner, [data])


def _name(doc: Doc, step: int, steps: int) -> str:
    """The model name of a checkpoint: the last is the model itself."""
    return doc["result_name"] if step == steps else f"{doc['result_name']}:ckpt-step-{step}"


def curve(world: World, doc: Doc) -> list[Doc]:
    """The measured steps of a job, oldest first; empty before it runs."""
    return json.loads(b"".join(world.store.content(f"curve:{doc['id']}")) or b"[]")


def checkpoints(world: World, doc: Doc, at: float) -> list[Doc]:
    """The last three checkpoints, newest first."""
    steps = {step["step"]: step for step in curve(world, doc)}
    return [
        {
            "object": "fine_tuning.job.checkpoint",
            "id": _checkpoint_id(doc, step),
            "created_at": int(at),
            "fine_tuned_model_checkpoint": _name(doc, step, doc["steps"]),
            "fine_tuning_job_id": doc["id"],
            "step_number": step,
            "metrics": {**steps[step], "step": float(step)},
        }
        for step in reversed(doc["checkpoint_steps"])
    ]


def _checkpoint_id(doc: Doc, step: int) -> str:
    return f"ftchkpt-{(int(doc['id'].removeprefix('ftjob-'), 16) + step) % 16**32:032x}"


def keep(world: World, files: Files, doc: Doc, at: float) -> Doc:
    """Make the models of a job that succeeded known, and keep its results.csv; the file."""
    for step in doc["checkpoint_steps"]:
        name = _name(doc, step, doc["steps"])
        model: Doc = {
            "id": name,
            "job": doc["id"],
            "base": doc["base"],
            "created": at,
            "checkpoint": _checkpoint_id(doc, step),
        }
        world.store.put("model", name, model)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(
        [step.get(name, "") for name in _COLUMNS.values()] for step in curve(world, doc)
    )
    return files.keep_results("results.csv", text.getvalue().encode())


def trained_tokens(world: World, doc: Doc) -> int:
    """Tokens that the job says it trained on."""
    facts = doc["facts"]
    # Those of the file, and some more for each example, times the epochs.
    return math.ceil(
        (facts["tokens"] + world.switches.trained_tokens_extra * facts["examples"]) * doc["epochs"]
    )


def known_turns(world: World, job: str) -> list[Turn]:
    """What a job's model was shown."""
    return [
        Turn(*pair) for pair in json.loads(b"".join(world.store.content(f"known:{job}")) or b"[]")
    ]


def model(world: World, name: str) -> training.Model:
    """The fitted model of that name."""
    return training.Model.from_bytes(b"".join(world.store.content(f"weights:{name}")))
