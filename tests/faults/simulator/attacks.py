"""Uploaders who mean ill: names, sizes, kinds of blobs, budgets, declarations of tools, and what
belongs to another run.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from shared.models.drop import JOB_FILE, TRAINING_SET, VALIDATION_SET
from tests.faults.simulator.blobs import TOO_LARGE_BYTES
from tests.faults.simulator.drops import CANARY, Dropped, training_set

type Job = dict[str, Any]
NAMES = (
    "../up",
    "a" * 200,
    "RUN",
    "invalid-name",
    "x/y",
    "run 1",
    "r\u0000n",
    "\u202ern",
    "run-0-8b6f360d",
    "-",
    "%2e%2e",
    "wallet.json",
)
# A model that the account trains and the price table does not know.
UNPRICED = "gpt-35-turbo-0125"
TERABYTE = 2**40


def attack(random: Random, number: int, at_s: float) -> Dropped:
    """One of the ways below."""
    return random.choice(ATTACKS)(random, number, at_s)


def _dropped(
    kind: str,
    number: int,
    at_s: float,
    job: Job | bytes,
    *,
    name: str | None = None,
    data: bytes | None = None,
) -> Dropped:
    name = f"run-{number}" if name is None else name
    starting, settings = (
        f"{name}/{TRAINING_SET}",
        job if isinstance(job, bytes) else json.dumps(job).encode(),
    )
    blobs = [
        (0.0, f"{name}/{JOB_FILE}", settings),
        (0.0, starting, training_set(number) if data is None else data),
    ]
    return Dropped(
        kind, at_s, blobs, starting, content=number, job={} if isinstance(job, bytes) else job
    )


def _job(epochs: int = 1, **more: Any) -> Job:
    return {"hyperparameters": {"n_epochs": epochs, "batch_size": 10}, **more}


def strange_name(random: Random, number: int, at_s: float) -> Dropped:
    """A name that no run can have, or that looks like something else."""
    return _dropped("strange name", number, at_s, _job(), name=random.choice(NAMES))


def strange_kind(random: Random, number: int, at_s: float) -> Dropped:
    """A page or an append blob, an archived one, or one of a terabyte, where there should
    be data.
    """
    dropped = _dropped("strange kind", number, at_s, _job())
    unusual: dict[str, Any] = random.choice(
        (
            {"kind": "PageBlob", "claims_bytes": TERABYTE},
            {"kind": "AppendBlob"},
            {"tier": "Archive"},
            {"claims_bytes": TOO_LARGE_BYTES},
        )
    )
    where = random.choice((dropped.starting, dropped.starting, f"run-{number}/{VALIDATION_SET}"))
    if where != dropped.starting:
        dropped.blobs.insert(0, (0.0, where, training_set(number + 500)))
    dropped.unusual[where] = unusual
    return dropped


def large_job_file(random: Random, number: int, at_s: float) -> Dropped:
    """A job.json that no instance can hold."""
    dropped = _dropped("large job.json", number, at_s, _job())
    dropped.unusual[f"run-{number}/{JOB_FILE}"] = {
        "claims_bytes": random.choice((300 * 1024, TERABYTE))
    }
    return dropped


def strange_budget(random: Random, number: int, at_s: float) -> Dropped:
    """A budget that is none, or none that holds."""
    budget = random.choice((b"-1", b"1e308", b"1e999", b"NaN", b'"50"', b"0.000001", b"{}"))
    return _dropped(
        "strange budget",
        number,
        at_s,
        b'{"hyperparameters": {"n_epochs": 50}, "budget": {"usd": ' + budget + b"}}",
    )


def unpriced(random: Random, number: int, at_s: float) -> Dropped:
    """A model without a price, for as long as it gets."""
    return _dropped(
        "unpriced",
        number,
        at_s,
        _job(50, model=UNPRICED, budget={"usd": random.choice((0.0, 10.0))}),
    )


def tools(random: Random, number: int, at_s: float) -> Dropped:
    """Small conversations, and declarations of tools that are billed."""
    about = "Opens one more door of the long corridor. " * 20
    declared = [
        {"type": "function", "function": {"name": f"tool_{n}", "description": about}}
        for n in range(4)
    ]
    lines = [json.loads(line) | {"tools": declared} for line in training_set(number).splitlines()]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return _dropped(
        "tools", number, at_s, _job(random.choice((10, 50)), budget={"usd": 20.0}), data=data
    )


def thief(random: Random, number: int, at_s: float) -> Dropped:
    """Asks for what belongs to another run: its deployment's name, or its mark on the job."""
    dropped = _dropped("thief", number, at_s, _job())
    dropped.aims_at = random.choice(("deployment", "deployment", "suffix"))
    return dropped


def dear_units(_random: Random, number: int, at_s: float) -> Dropped:
    """Provisioned units, whose price an hour nobody knows."""
    return _dropped(
        "dear units", number, at_s, _job(deployment={"sku": "ProvisionedManaged", "capacity": 200})
    )


def anothers_model(random: Random, number: int, at_s: float) -> Dropped:
    """Trains on from a model that isn't its own, or asks for a policy that isn't there."""
    model: Job = {"model": "gpt-4.1-mini-2025-04-14.ft-0123456789abcdef0123456789abcdef-victim"}
    policy: Job = {"deployment": {"rai_policy": "none-such"}}
    return _dropped(
        "another's model", number, at_s, _job() | (model if random.random() < 0.5 else policy)
    )


def canary_in_settings(random: Random, number: int, at_s: float) -> Dropped:
    """Text that must not be repeated, as a value of the wrong kind."""
    named: Job = {"deployment": {"name": f"{CANARY}!"}}
    wrong: Job = random.choice(
        ({"seed": CANARY}, {"hyperparameters": {"n_epochs": CANARY}}, {"model": CANARY}, named)
    )
    return _dropped("canary in settings", number, at_s, wrong)


ATTACKS: tuple[Callable[[Random, int, float], Dropped], ...] = (
    strange_name,
    strange_kind,
    large_job_file,
    strange_budget,
    unpriced,
    tools,
    thief,
    dear_units,
    anothers_model,
    canary_in_settings,
)
