"""How bad a world a seed gets: rates and delays, drawn once from the seed's random source."""

from dataclasses import dataclass, replace
from random import Random

from tunedrop.emulator import regions


@dataclass(frozen=True)
class Trouble:
    """Rates are probabilities of one call or event, times are seconds."""

    storage: float
    """A storage call fails, before or after its commit."""
    service: float
    """A call to Azure OpenAI or ARM fails."""
    creating: float
    """A call that makes something fails, or ends with its outcome unknown."""
    list_lag_s: float
    """The most that a listing may hide what was just made."""
    activity: float
    """An activity is executed twice, late, or dies."""
    event_lost: float
    event_twice: float
    event_late: float
    clock_s: float
    """The most that an instance's clock is off."""
    hosts: int
    kills: int
    """How often a host, with its engine, is killed; or a worker, without it."""
    engine_lost: bool
    """Whether the engine's state goes with the host, as on the embedded one."""
    ended_is_replaced: bool
    """Whether the engine starts an instance anew that has ended, as on Azure."""
    cancels: float
    """The share of runs that somebody cancels."""
    doom: float
    """How likely the next file, job or deployment ends badly at the provider, for each kind
    of end.
    """
    jobs_at_a_time: int
    """What the wallet allows."""
    apps: int = 1
    """How many apps, each with an engine and hosts of its own, hear of the same container and share
    one ledger.
    """
    attacks: float = 0
    """The share of drops whose uploader means ill."""
    changes: int = 0
    """How often somebody changes a setting."""
    harm: float = 0
    """How likely a blob of a drop vanishes, is archived or is put in another kind of blob."""
    jumps: int = 0
    """How often an instance's clock jumps."""
    damage: int = 0
    """How often the wallet is lost or damaged, or a claim."""
    in_calls: float = 0
    """The share of the halts that may come in the middle of a call: the window that
    docs/reliability.md names.
    """
    deployments: int | None = None
    """How many fine-tuned deployments the account holds; None: more than anybody wants."""
    usd_a_day: float = 250
    region: str = regions.DEFAULT
    roles: str = "all"
    """Which roles the identity has: all, none of the two that are asked for, all but the reader of
    usages, or for a while not all.
    """
    outages: int = 0
    """How often one of the two services answers nothing but 503 for up to an hour."""
    secrets: bool = False
    """Whether the service's refusals quote a key, at length."""
    rivals: bool = False
    """Whether two apps, each at a pace of its own, take up each other's runs as soon as
    they can.
    """


# Nothing goes wrong but events.
CALM = Trouble(
    storage=0,
    service=0,
    creating=0,
    list_lag_s=0,
    activity=0,
    event_lost=0.05,
    event_twice=0.2,
    event_late=0.02,
    clock_s=5,
    hosts=2,
    kills=0,
    engine_lost=False,
    ended_is_replaced=True,
    cancels=0,
    doom=0,
    jobs_at_a_time=1000,
)
# Everything goes wrong at once: what a bug needs that hides in the meeting of two rare troubles.
STORM = replace(
    CALM,
    storage=0.01,
    service=0.06,
    creating=0.3,
    list_lag_s=120,
    activity=0.6,
    clock_s=600,
    kills=3,
    cancels=0.7,
    doom=0.15,
    attacks=0.2,
    changes=2,
    harm=0.05,
    jumps=2,
    damage=1,
    outages=1,
    secrets=True,
)
NAPS = replace(
    CALM,
    storage=0.01,
    service=0.02,
    creating=0.1,
    list_lag_s=30,
    activity=1,
    cancels=0.5,
    doom=0.15,
)
# Storms, and worlds that are calm but for what one kind of bug needs.
PRESETS: dict[str, Trouble] = {
    "storm": STORM,
    "rivals": replace(STORM, apps=2, rivals=True),
    "naps": NAPS,
    "halts": replace(NAPS, in_calls=1),
    "crooks": replace(STORM, attacks=0.7, activity=0.1, creating=0.1, kills=1),
    "crowd": replace(
        CALM,
        storage=0.01,
        service=0.06,
        activity=0.5,
        cancels=0.9,
        doom=0.15,
        jobs_at_a_time=1,
        hosts=1,
        kills=12,
    ),
}


# The share of worlds with two apps that take up each other's runs.
RIVALS = 0.06


def trouble_of(random: Random, seed: int) -> Trouble:
    """The trouble of one seed: calm in some, all at once in others.

    What was added later has a random source of its own, so that the worlds without it stay as they
    were.
    """
    drawn = _drawn(random)
    own = Random(f"rivals {seed}")  # noqa: S311  a reproducible world, not a secret
    return replace(drawn, rivals=True, apps=2) if own.random() < RIVALS else drawn


def _drawn(random: Random) -> Trouble:
    return Trouble(
        storage=random.choice((0, 0.002, 0.01)),
        service=random.choice((0, 0.02, 0.06)),
        creating=random.choice((0, 0.1, 0.3)),
        list_lag_s=random.choice((0, 30, 120)),
        activity=random.choice((0, 0.05, 0.2)),
        event_lost=0.05,
        event_twice=0.2,
        event_late=0.02,
        clock_s=random.choice((0, 5, 600)),
        hosts=random.choice((1, 2, 3)),
        kills=random.choice((0, 0, 1, 3)),
        engine_lost=random.random() < 0.5,
        ended_is_replaced=random.random() < 0.5,
        cancels=random.choice((0, 0.2, 0.5)),
        doom=random.choice((0, 0.15)),
        jobs_at_a_time=random.choice((1, 3, 10)),
        apps=random.choice((1, 1, 1, 2)),
        attacks=random.choice((0, 0.1, 0.4)),
        changes=random.choice((0, 1, 4)),
        harm=random.choice((0, 0, 0.2)),
        jumps=random.choice((0, 0, 3)),
        damage=random.choice((0, 0, 1)),
        in_calls=random.choice((0, 0, 0.5)),
        deployments=random.choice((None, None, 1, 2)),
        usd_a_day=random.choice((250, 250, 20)),
        region=random.choice(sorted(regions.REGIONS)),
        roles=random.choice((*("all",) * 16, "no usages", "user", "none", "lost")),
        outages=random.choice((0, 0, 0, 1)),
        secrets=random.random() < 0.3,
    )
