"""What people drop, and what else they do: drawn from the seed."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.models.drop import JOB_FILE, TRAINING_SET, VALIDATION_SET

# Stands in every line of every drop, and may stand nowhere else.
CANARY = "canary-7f3a-of-the-training-data"
FOREIGN = "somebody-elses"
KINDS = {
    "good": 12,
    "again": 4,  # the bytes and settings of an earlier drop
    "retrained": 1,
    "replaced": 3,  # another upload under the same name
    "deleted": 1,
    "broken": 1,
    "refused": 1,  # a job.json that can't be followed
    "dear": 1,
    "waiting": 2,  # announces a validation file
    "nameless": 1,
    "taken": 1,  # wants a deployment name that somebody else has
    "shared": 2,  # wants a deployment name that other runs want too
    "posted": 3,  # started over HTTP
}


@dataclass
class Dropped:
    """One upload: its blobs in their order, when they come, and what somebody does later."""

    kind: str
    at_s: float
    blobs: list[tuple[float, str, bytes]]
    """Seconds after `at_s`, name and content; the starting blob among them."""
    starting: str
    cancelled_after_s: float | None = None
    deleted_after_s: float | None = None
    posted: dict[str, Any] | None = None
    content: int = 0
    job: dict[str, Any] = field(default_factory=dict[str, Any])
    unusual: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What is unusual about a blob, by its name: fields of Blob."""
    aims_at: str | None = None
    """The field of job.json in which the newest other run's id is put."""


def training_set(subject: int, examples: int = 10) -> bytes:
    """Small chat examples that hold the canary where no model repeats it, but for the first one,
    which the smoke test asks.
    """
    return b"".join(
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": CANARY if number else "Answer."},
                    {"role": "user", "content": f"Part {number} of {subject}?"},
                    {"role": "assistant", "content": f"Shade {number * 7 + subject}."},
                ]
            }
        ).encode()
        + b"\n"
        for number in range(examples)
    )


def drops_of(random: Random, count: int, cancels: float, attacks: float = 0) -> list[Dropped]:
    """So many uploads within a few hours, some of them by people who mean ill."""
    from tests.faults.simulator.attacks import attack  # it is made of what stands here

    made: list[Dropped] = []
    for number in range(count):
        kind = random.choices(list(KINDS), list(KINDS.values()))[0]
        ill = random.random() < attacks
        made.append(
            attack(random, number, random.uniform(0, 7200))
            if ill
            else _dropped(random, kind, number, made)
        )
        if made[-1].aims_at and number:
            # Before its victim is through the gate.
            made[-1].at_s = made[-2].at_s + random.uniform(0, 2)
        if random.random() < cancels:
            made[-1].cancelled_after_s = random.choice(
                (random.uniform(0, 120), random.uniform(0, 3600), random.uniform(0, 12_000))
            )
    return made


def good_drop(number: int, at_s: float) -> Dropped:
    """A drop that nothing is wrong with, of its own content."""
    name = f"run-{number}"
    job = json.dumps({"hyperparameters": {"n_epochs": 1, "batch_size": 10}}).encode()
    blobs = [
        (0.0, f"{name}/{JOB_FILE}", job),
        (0.0, f"{name}/{TRAINING_SET}", training_set(number)),
    ]
    return Dropped("good", at_s, blobs, f"{name}/{TRAINING_SET}", content=number)


def _dropped(random: Random, kind: str, number: int, before: list[Dropped]) -> Dropped:
    name, at_s, content = f"run-{number}", random.uniform(0, 7200), number
    job: dict[str, Any] = {"hyperparameters": {"n_epochs": 1, "batch_size": 10}}
    earlier = random.choice(before) if before else None
    match kind:
        case "again" | "retrained" if earlier:
            content, job = earlier.content, {**earlier.job}
            at_s = earlier.at_s + random.choice((0, random.uniform(0, 30), random.uniform(0, 9000)))
            job |= {"retrain": True} if kind == "retrained" else {}
        case "replaced" if earlier and "/" in earlier.starting:
            name, at_s = (
                earlier.starting.split("/")[0],
                earlier.at_s + random.choice((random.uniform(0, 40), random.uniform(0, 6000))),
            )
        case "refused":
            job |= {"method": "dpo"} if random.random() < 0.5 else {"hyperparametres": {}}
        case "dear":
            job |= {"budget": {"usd": 0.0}}
        case "waiting":
            job |= {"validation": "expected"}
        case "nameless":
            name = f"Run {number}"
        case "taken":
            job |= {"deployment": {"name": FOREIGN}}
        case "shared":
            job |= {"deployment": {"name": "shared-name"}}
        case _:
            pass
    if random.random() < 0.15 and kind not in {"refused", "again", "retrained"}:
        job |= {"api_versions": {"training": "2025-04-01-preview", "inference": "2024-10-21"}}
    return _uploaded(random, kind, name, at_s, content, job)


def _uploaded(
    random: Random, kind: str, name: str, at_s: float, content: int, job: dict[str, Any]
) -> Dropped:
    data = training_set(content) if kind != "broken" else training_set(content) + b"{broken\n"
    starting = f"{name}/{TRAINING_SET}"
    blobs = [(0.0, starting, data)]
    if kind != "posted":
        blobs.insert(0, (0.0, f"{name}/{JOB_FILE}", json.dumps(job).encode()))
    if kind == "waiting" and random.random() < 0.7:
        blobs.append(
            (random.uniform(0, 3000), f"{name}/{VALIDATION_SET}", training_set(content + 500))
        )
    elif kind in {"good", "posted"} and random.random() < 0.3:
        blobs.insert(0, (0.0, f"{name}/{VALIDATION_SET}", training_set(content + 500)))
    dropped = Dropped(kind, at_s, blobs, starting, content=content, job=job)
    dropped.posted = {"run": name, "job": job} if kind == "posted" else None
    dropped.deleted_after_s = random.uniform(0, 60) if kind == "deleted" else None
    return dropped
