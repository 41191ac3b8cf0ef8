"""The world of one stand-in: its store, clock and settings, handed to every state machine."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from tunedrop.emulator import faults, limits, pace, regions, switches
from tunedrop.emulator.catalogue import AS_OF
from tunedrop.emulator.clock import Clock
from tunedrop.emulator.faults import Fault
from tunedrop.emulator.limits import Limits
from tunedrop.emulator.pace import Pace
from tunedrop.emulator.store import Doc, Store
from tunedrop.emulator.switches import Switches

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
RESOURCE_GROUP = "local"
API_KEY = "stand-in-key"
DEFAULT_PACE = "demo"
_DAY_S = 86_400.0
ACCOUNT = "standin"


@dataclass(frozen=True, slots=True)
class Config:
    """What a stand-in is started with; None keeps what the state says, or else the default."""

    state: Path | None = None
    """SQLite file; None forgets everything at the end."""
    api_key: str = API_KEY
    region: str = regions.DEFAULT
    """One of `regions.REGIONS`."""
    pace: Pace | None = None
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    switches: dict[str, Any] = field(default_factory=dict[str, Any])
    faults: list[Any] = field(default_factory=list[Any])
    seed: int | None = None
    """Makes ids and training repeatable; without one the state draws its own."""
    time_source: Callable[[], float] | None = None
    """Seconds since 1970; tests pass their own."""


# Settings live in the store, so that a killed process comes back as it was; what the command line
# gives replaces them.
class World:
    """Settings and shared services; every method is called inside a transaction of the store."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store(config.state)
        with self.store.transaction():
            self._restore(config)

    def _restore(self, config: Config) -> None:
        store = self.store
        offset = float(store.setting("clock_offset_s", 0.0))
        self.clock = (
            Clock(config.time_source, offset) if config.time_source else Clock(offset_s=offset)
        )
        if config.seed is not None:
            store.set_setting("seed", str(config.seed))
        elif store.setting("seed") is None:
            store.set_setting("seed", secrets.token_hex(8))
        if store.setting("began_at") is None:
            self.begin()
        self._began_at = float(store.setting("began_at"))
        self._pace = config.pace or pace.parse(store.setting("pace", DEFAULT_PACE))
        self._limits = limits.changed(
            Limits(), {**_known(store.setting("limits", {}), Limits()), **config.limits}
        )
        self._switches = switches.changed(
            Switches(), {**_known(store.setting("switches", {}), Switches()), **config.switches}
        )
        self.plan = [
            faults.parse(value) for value in [*store.setting("faults", []), *config.faults]
        ]
        self.save()

    def begin(self) -> None:
        """Makes today the first day of this state: the catalogue's days count from it."""
        self._began_at = self.now()
        self.store.set_setting("began_at", self._began_at)

    def restart(self) -> None:
        """Settings as a fresh start with the same options would have them; the clock goes on."""
        self._pace = self.config.pace or pace.NAMED[DEFAULT_PACE]
        self._limits = limits.changed(Limits(), self.config.limits)
        self._switches = switches.changed(Switches(), self.config.switches)
        self.plan = [faults.parse(value) for value in self.config.faults]
        self.save()

    @property
    def pace(self) -> Pace:
        """The pace now."""
        return self._pace

    @pace.setter
    def pace(self, value: Pace) -> None:
        self._pace = value
        self.save()

    @property
    def limits(self) -> Limits:
        """The limits now."""
        return self._limits

    @limits.setter
    def limits(self, value: Limits) -> None:
        self._limits = value
        self.save()

    @property
    def switches(self) -> Switches:
        """The switches now."""
        return self._switches

    @switches.setter
    def switches(self, value: Switches) -> None:
        self._switches = value
        self.save()

    def save(self) -> None:
        """Write settings down, so that a restart finds them."""
        self.store.set_setting("pace", self._pace.to_json())
        self.store.set_setting("limits", self._limits.to_json())
        self.store.set_setting("switches", self._switches.to_json())
        self.store.set_setting("faults", [fault.to_json() for fault in self.plan])
        self.store.set_setting("clock_offset_s", self.clock.offset_s)

    def now(self) -> float:
        """The present, in seconds since 1970."""
        return self.clock.now()

    @property
    def region(self) -> str:
        """The region of the one account, as ARM writes it."""
        return self.config.region

    def day(self, day: str) -> float:
        """A day of the catalogue, midnight UTC, in seconds since 1970."""
        # The catalogue grows old and its stand-in must not retire with it: the days stay as far
        # from the day on which this state began as they were from the day on which they were
        # written down.
        written, named = (
            datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (AS_OF, day)
        )
        return named + max(0.0, (self._began_at - written) // _DAY_S * _DAY_S)

    def is_over(self, day: str) -> bool:
        """Whether that day of the catalogue has come."""
        return self.now() >= self.day(day)

    def new_id(self, prefix: str) -> str:
        """A fresh id: the prefix, a hyphen and 32 hexadecimal digits."""
        return f"{prefix}-{self.store.next_hex()}"

    def fault(self, on: str, when: str = "before", about: str = "") -> Doc | None:
        """The fault that meets this operation or thing now, if one does; it is used up."""
        found = faults.take(self.plan, on, when, about)
        if found is not None:
            self.save()
        return found

    def add_faults(self, values: list[Any]) -> list[Fault]:
        """Add to the plan; raises ValueError and adds nothing when one is wrong."""
        added = [faults.parse(value) for value in values]
        self.plan.extend(added)
        self.save()
        return added

    def charge(self, operation: str, id_: str, cost_usd: float, details: Doc) -> None:
        """Write an entry that no request made: what a thing cost when it ended."""
        entry = {
            "operation": operation,
            "at": self.now(),
            "status": None,
            "cost_usd": cost_usd,
            "id": id_,
            "committed": True,
        }
        self.store.append_entry({**entry, **details})


def _known(kept: Doc, known: Limits | Switches) -> Doc:
    """What a state has kept, without the settings that this release doesn't have any more."""
    return {name: value for name, value in kept.items() if name in known.to_json()}


def as_doc(value: object) -> Doc:
    """A JSON object as a document; an empty one for anything else."""
    return cast("Doc", value) if isinstance(value, dict) else {}
