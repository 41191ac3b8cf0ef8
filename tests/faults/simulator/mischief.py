"""What befalls a world besides faults of single calls: changed settings, harmed blobs, clocks that
jump, a damaged ledger.

Each is planned when the world begins, at a time that its random source picks.
"""

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.models.drop import JOB_FILE, TRAINING_SET, VALIDATION_SET
from shared.runs.ledger import CLAIMS, WALLET
from shared.settings import settings
from tests.faults.simulator import app

if TYPE_CHECKING:
    from tests.faults.simulator.simulation import Simulation

WITHIN_S = 12_000.0
# The share of activities after which a setting is changed, for each change of a world's trouble.
CHANGED_BETWEEN = 0.01
OUTAGE_MOST_S = 3000.0
# The shortest deadline of a run is that of its smoke test: a longer outage can end it.
SMOKE_MOST_S = 500.0
# What somebody sets the settings to. Spans are set in bytes: no drop here is as large as the
# smallest that the setting allows.
CHANGES: dict[str, tuple[str, ...]] = {
    "TUNEDROP_PACE": (json.dumps(app.HASTY), json.dumps(app.PACE)),
    "TUNEDROP_JOBS_AT_A_TIME": ("1", "3", "10"),
    "TUNEDROP_JOBS_A_DAY": ("3", "50"),
    "TUNEDROP_WHEN_DAY_IS_FULL": ("reject", "wait"),
    "TUNEDROP_BUDGET_USD": ("0", "20", "50"),
    "TUNEDROP_MODEL": ("gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14"),
    "TUNEDROP_TRAINING_TYPE": ("Standard", "GlobalStandard", "Developer"),
    "TUNEDROP_DEPLOYMENT_SKU": ("Standard", "GlobalStandard"),
    "TUNEDROP_DEPLOYMENT_CAPACITY": ("1", "50"),
    "TUNEDROP_MAX_CAPACITY": ("10", "200"),
    "TUNEDROP_REPORTS_CONTAINER": ("reports", "reports-2"),
    "TUNEDROP_OPENAI_SURFACE": ("v1", "api-version"),
    "TUNEDROP_ARM_API_VERSION": ("2024-10-01", "2025-06-01"),
    "TUNEDROP_DATA_SECRETS": ("error", "warning"),
    "TUNEDROP_CLAIM_PATIENCE_S": ("0", "120", "900"),
    "TUNEDROP_DROP_PATIENCE_S": ("0", "300"),
    "TUNEDROP_ALLOWED_MODELS": ("[]", '["gpt-4.1-nano-2025-04-14"]'),
    app.SPAN_BYTES: ("500", "1000", "100000"),
}


def plan(world: "Simulation") -> None:
    """Plans all of it, by the world's trouble."""
    random, trouble = world.stage.random, world.trouble
    world.watch.stepped = lambda: _perhaps_change(world)
    for times, act in (
        (trouble.changes, _change),
        (trouble.jumps, _jump),
        (trouble.damage, _damage),
        (trouble.outages, _outage),
    ):
        for _ in range(times):
            world.later(random.uniform(0, WITHIN_S), lambda act=act: act(world))
    for drop in world.drops:
        for _, name, _ in drop.blobs:
            if random.random() < trouble.harm:
                world.later(
                    drop.at_s + random.choice((random.uniform(0, 30), random.uniform(0, 4000))),
                    lambda name=name: _harm(world, name),
                )

    _assign(world)


def _assign(world: "Simulation") -> None:
    """The roles of the identity, from the beginning or for a while."""
    match world.trouble.roles:
        case "no usages":
            world.provider.switch(role_usages_reader=False)
        case "user" | "none" as left:
            world.provider.switch(
                role_openai_contributor=False,
                role_usages_reader=False,
                role_openai_user=left == "user",
            )
            world.doomed = True
        case "lost":
            lost_s = world.stage.random.uniform(0, WITHIN_S)
            world.later(lost_s, lambda: world.provider.switch(role_openai_contributor=False))
            world.later(
                lost_s + world.stage.random.uniform(60, 2400),
                lambda: world.provider.switch(role_openai_contributor=True),
            )
            world.doomed = True
        case _:
            pass


def _outage(world: "Simulation") -> None:
    of_arm, for_s = world.stage.random.random() < 0.5, world.stage.random.uniform(60, OUTAGE_MOST_S)
    world.doomed = world.doomed or for_s > SMOKE_MOST_S
    world.stage.note("out", "ARM" if of_arm else "Azure OpenAI", f"{for_s:.0f} s")
    world.wire.out[of_arm] = world.stage.now.timestamp() + for_s


def _perhaps_change(world: "Simulation") -> None:
    """Right between two activities, which are seconds of hours."""
    if world.stage.random.random() < world.trouble.changes * CHANGED_BETWEEN:
        _change(world)


def _change(world: "Simulation") -> None:
    name = world.stage.random.choice((app.SPAN_BYTES, *CHANGES))
    value = world.stage.random.choice(CHANGES[name])
    world.stage.note("changed", name, value)
    os.environ[name] = value
    settings.cache_clear()
    world.jobs_at_a_time = max(world.jobs_at_a_time, settings().jobs_at_a_time)


def _jump(world: "Simulation") -> None:
    world.stage.random.choice(world.apps).jump()


def _harm(world: "Simulation", name: str) -> None:
    """A blob vanishes, is archived where it stands, or is put anew as another kind of blob."""
    blobs, random = world.account.blobs("training"), world.stage.random
    found = blobs.get(name)
    if found is None:
        return
    how = random.choice(("gone", "archived", "page", "append"))
    world.stage.note("harmed", name, how)
    world.watch.harmed.update(
        {name, *(name.replace(file, TRAINING_SET) for file in (JOB_FILE, VALIDATION_SET))}
    )
    match how:
        case "gone":
            del blobs[name]
        case "archived":
            blobs[name] = replace(found, tier="Archive")
        case _:
            world.put(name, found.content, kind="PageBlob" if how == "page" else "AppendBlob")


def _damage(world: "Simulation") -> None:
    """The wallet is gone or damaged, or a claim is damaged: nobody is told."""
    blobs, random = world.account.blobs("tunedrop"), world.stage.random
    names = [WALLET, *sorted(name for name in blobs if name.startswith(CLAIMS))]
    name = random.choice(names)
    world.stage.note("damaged", name)
    if name not in blobs:
        return
    if name == WALLET and random.random() < 0.5:
        del blobs[name]
    else:
        blobs[name] = replace(
            blobs[name], content=random.choice((b"", b"{", b"[]")), etag=f"{blobs[name].etag}D"
        )
