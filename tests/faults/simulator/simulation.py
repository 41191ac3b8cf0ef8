"""One seed: people, events, hosts, the engine, the app and the provider, until nothing is left to
happen.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func

from shared.models import pace
from shared.models.drop import drop_of
from tests.faults.simulator import app, hub, invariants, mischief
from tests.faults.simulator.blobs import ACCOUNT, Account
from tests.faults.simulator.drops import FOREIGN, Dropped, drops_of
from tests.faults.simulator.hosts import Hosts
from tests.faults.simulator.provider import Provider
from tests.faults.simulator.stage import START, Stage
from tests.faults.simulator.trouble import CALM, Trouble, trouble_of
from tests.faults.simulator.watch import Violation, Watch
from tests.faults.simulator.wire import Wire
from tunedrop.emulator.pace import Pace, after_seconds

SWEEP_S = 1200.0
DAY_S = 86_400.0
# How many times as often rivals sweep.
RIVALRY = 4
# A deployment that takes longer can miss its deadline by itself.
SLOW_S = 3000.0
FATES = (
    ("file", {"ends": "error"}),
    ("job", "rai_data"),
    ("job", "rai_model"),
    ("deployment", {"ends": "Failed"}),
    ("readiness", "never"),
)
JSON = {"Content-Type": "application/json"}
LAST_SWEEPS = 4
# After so much virtual time every run must have ended: late events, deadlines and storms included.
ENDS_WITHIN = timedelta(days=12)


class Simulation:
    """One world, made from one seed."""

    def __init__(
        self,
        seed: int,
        *,
        trouble: Trouble | None = None,
        drops: list[Dropped] | None = None,
        speed: Pace | None = None,
        mutation: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        self.stage = Stage(seed)
        random = self.stage.random
        self.trouble = trouble or trouble_of(random, seed)
        self.account = Account(self.stage, self.trouble.storage)
        speed = speed or _speed(self.stage)
        self.doomed = (speed.deployment.seconds or 0) > SLOW_S
        """Whether something at the provider ends badly by itself."""
        full = (
            {}
            if self.trouble.deployments is None
            else {"fine_tuned_deployments_max": self.trouble.deployments}
        )
        self.provider = Provider(self.stage, seed, speed, full, self.trouble.region)
        self.wire = Wire(self.stage, self.provider, self.trouble)
        self.jobs_at_a_time, self.usd_a_day = self.trouble.jobs_at_a_time, self.trouble.usd_a_day
        self.words = app.Words()
        self.watch = Watch(self.stage, self.account)
        self.watch.proved = self._proved
        self.apps = [Hosts(self.stage, self.trouble, self.watch, pace) for pace in self._paces()]
        self.drops = (
            drops
            if drops is not None
            else drops_of(random, random.randint(1, 6), self.trouble.cancels, self.trouble.attacks)
        )
        self._clients = [
            hub.client(self.stage, lambda hosts=hosts: hosts.hub) for hosts in self.apps
        ]
        self._mutation = mutation
        self._to_come = 0
        self.events_lost = self.events_doubled = 0

    def _paces(self) -> list[pace.Pace | None]:
        """Of each app: that of the environment, or for rivals two that are far apart."""
        if not self.trouble.rivals:
            return [None] * self.trouble.apps
        return [pace.Pace.model_validate(told) for told in (app.HASTY, app.LEISURELY)]

    def run(self) -> str:
        """Lets it all happen, and answers the hash of the trace; raises Violation."""
        chosen = {
            "TUNEDROP_JOBS_AT_A_TIME": str(self.jobs_at_a_time),
            "TUNEDROP_USD_A_DAY": str(self.trouble.usd_a_day),
        }
        if self.trouble.rivals:
            chosen["TUNEDROP_CLAIM_PATIENCE_S"] = "0"
        chosen[app.SPAN_BYTES] = self.stage.random.choice(("1000", "100000"))
        if self.trouble.deployments is not None:
            chosen["TUNEDROP_LIMITS"] = json.dumps(
                app.PLENTY | {"fine_tuned_deployments": self.trouble.deployments}
            )
        try:
            with ExitStack() as stack:
                stack.enter_context(self.stage.opened())
                stack.enter_context(app.installed(self.account, self.wire, self.words, chosen))
                if self._mutation:
                    stack.enter_context(self._mutation())
                self._plan()
                self._play()
                self._look_through()
                self.watch.as_it_goes()
                invariants.check(self)
        finally:
            self.provider.close()
        return self.stage.trace

    def _play(self) -> None:
        while self.stage.now < START + ENDS_WITHIN:
            self._step()
            if self._at_rest():
                return
        raise Violation(
            "I3",
            (
                f"not everything has ended after {ENDS_WITHIN.days} days: "
                f"{self.watch.unended() or self.watch.unheard()}"
            ),
        )

    def _step(self) -> None:
        self.stage.step()
        for hosts in self.apps:
            hosts.pump()
        self.watch.as_it_goes()

    def _look_through(self) -> None:
        """The sweep goes on when nothing else happens any more: what was made too late to be known
        is found, when nothing goes wrong.
        """
        self.wire.trouble, self.account.fault_rate = CALM, 0
        for _ in range(LAST_SWEEPS):
            self._sweep_by(0)
            while self.stage.living:
                self._step()
            if not invariants.unowned(self):
                return
            self.stage.now += timedelta(seconds=SWEEP_S)

    def _at_rest(self) -> bool:
        if self._to_come or any(hosts.to_come for hosts in self.apps) or self.stage.living:
            return False
        return not self.watch.unended() and not self.watch.unheard()

    def _plan(self) -> None:
        random = self.stage.random
        self.provider.own_deployment(FOREIGN)
        for thing, fate in FATES:
            if random.random() < self.trouble.doom:
                self.provider.doom(thing, fate)
                self.doomed = True
        for drop in self.drops:
            self.later(drop.at_s, lambda drop=drop: self._upload(drop))
        for _ in range(self.trouble.kills):
            self.later(random.uniform(0, 12_000), self._kill)
        if random.random() < 0.5:
            self.later(
                random.uniform(3600, 40_000), lambda: random.choice(self.apps).hub.purge_ended()
            )
        mischief.plan(self)
        self.stage.after(SWEEP_S, self._sweep)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Has somebody act so many virtual seconds from now; the world is not at rest before."""
        self._to_come += 1

        def happen() -> None:
            self._to_come -= 1
            act()

        self.stage.after(seconds, happen)

    # People

    def _upload(self, drop: Dropped) -> None:
        if drop.aims_at:
            self._take_aim(drop, drop.aims_at)
        for after_s, name, content in drop.blobs:
            self.later(after_s, lambda name=name, content=content: self._put(drop, name, content))
        if drop.deleted_after_s is not None:
            self.later(drop.deleted_after_s, lambda: self._delete(drop.starting))

    def _take_aim(self, drop: Dropped, field: str) -> None:
        """Whoever may look into the container can reckon the ids of the runs there."""
        blobs = self.account.blobs("training").items()
        others = [
            found.run_id
            for name, blob in blobs
            if (found := drop_of(ACCOUNT, "training", name, blob.etag))
        ]
        if others:
            aim = (
                {"deployment": {"name": others[-1]}}
                if field == "deployment"
                else {"suffix": others[-1]}
            )
            drop.blobs[0] = (*drop.blobs[0][:2], json.dumps(drop.job | aim).encode())

    def put(self, name: str, content: bytes, **unusual: Any) -> None:
        """Somebody uploads a blob, and the events of it come, or not."""
        self.account.write("training", name, content, **unusual)
        for after_s in self._events():
            for number in range(len(self.apps)):
                self.later(after_s, lambda number=number: self._event(name, number))

    def _put(self, drop: Dropped, name: str, content: bytes) -> None:
        self.stage.note("upload", drop.kind, ascii(name))
        self.put(name, content, **drop.unusual.get(name, {}))
        if name == drop.starting and drop.posted is not None:
            self.later(self.stage.random.uniform(0, 5), lambda: self._post(drop))
        if name == drop.starting and drop.cancelled_after_s is not None:
            self.later(drop.cancelled_after_s, lambda: self._cancel(drop, 5))

    def _delete(self, name: str) -> None:
        self.stage.note("deleted", name)
        self.account.blobs("training").pop(name, None)

    def _events(self) -> list[float]:
        random, trouble = self.stage.random, self.trouble
        late = (
            random.uniform(0, DAY_S)
            if random.random() < trouble.event_late
            else random.uniform(0, 30)
        )
        lost, twice = random.random() < trouble.event_lost, random.random() < trouble.event_twice
        more = random.choice(
            (random.uniform(0, 3), random.uniform(0, 600), random.uniform(0, DAY_S))
        )
        self.events_lost += lost
        self.events_doubled += twice
        return [after_s for after_s, comes in ((late, not lost), (more, twice)) if comes]

    # Triggers

    def _event(self, blob: str, number: int, tries: int = 5) -> None:
        def ended(result: object) -> None:
            if isinstance(result, BaseException) and tries > 1:
                self.later(30, lambda: self._event(blob, number, tries - 1))

        on_drop, client = app.functions()["on_drop"], self._clients[number]
        self.apps[number].act(
            f"on_drop {blob!a}", lambda: on_drop(SimpleNamespace(blob_name=blob), client), ended
        )

    def _one(self) -> tuple[Hosts, Any]:
        """One of the apps, and its durable client."""
        number = self.stage.random.randrange(len(self.apps))
        return self.apps[number], self._clients[number]

    def _post(self, drop: Dropped) -> None:
        request = func.HttpRequest(
            method="POST", url="/api/runs", headers=JSON, body=json.dumps(drop.posted).encode()
        )
        hosts, client = self._one()
        hosts.act(
            f"start_run {drop.starting}",
            lambda: app.functions()["start_run"](request, client),
            lambda _: None,
        )

    def _cancel(self, drop: Dropped, tries: int) -> None:
        """Somebody cancels the newest run of this name; tries again while it isn't known yet, or
        the answer is an error.
        """
        found = [
            record for record in self.watch.records.values() if record.drop.blob == drop.starting
        ]
        if not found:
            if tries > 1:
                self.later(60, lambda: self._cancel(drop, tries - 1))
            return
        self._cancel_run(max(found, key=lambda record: record.created_at).id, tries)

    def _proved(self, run_id: str) -> None:
        """Now and then somebody cancels a run right when its model has been proven: the last moment
        that counts.
        """
        if self.stage.random.random() < self.trouble.cancels / 2:
            self.later(self.stage.random.uniform(0, 3), lambda: self._cancel_run(run_id, 1))

    def _cancel_run(self, run_id: str, tries: int) -> None:
        request = func.HttpRequest(
            method="POST", url=f"/api/runs/{run_id}/cancel", body=b"", route_params={"id": run_id}
        )

        def ended(result: object) -> None:
            if isinstance(result, func.HttpResponse):
                self.watch.cancel_answered(run_id, result.status_code)
            elif tries > 1:
                self.later(30, lambda: self._cancel_run(run_id, tries - 1))

        hosts, client = self._one()
        hosts.act(
            f"cancel_run {run_id}", lambda: app.functions()["cancel_run"](request, client), ended
        )

    def _sweep(self) -> None:
        """The timer; now and then it comes twice."""
        # While there is nothing to find it is left out, to keep a simulation quick.
        if self.watch.unended() or self.watch.unheard():
            for number in range(len(self.apps)):
                for _ in range(2 if self.stage.random.random() < 0.1 else 1):
                    self._sweep_by(number)
        self.stage.after(SWEEP_S / RIVALRY if self.trouble.rivals else SWEEP_S, self._sweep)

    def _sweep_by(self, number: int, *, late: bool = False) -> None:
        sweep, timer = app.functions()["sweep"], SimpleNamespace(past_due=late)
        self.apps[number].act("sweep", lambda: sweep(timer, self._clients[number]), lambda _: None)

    def _kill(self) -> None:
        """A host dies; where its engine died too, the next one sweeps when it starts."""
        number = self.stage.random.randrange(len(self.apps))
        if self.apps[number].kill():
            self.later(self.stage.random.uniform(1, 120), lambda: self._sweep_by(number, late=True))


def _speed(stage: Stage) -> Pace:
    random = stage.random
    job, deployment = random.choice((60, 1200, 8000)), random.choice((5, 60, 600, 600, 9000))
    parts = (
        random.choice((1, 30, 300)),
        job,
        deployment,
        random.choice((1, 30, 200)),
        random.choice((1, 20)),
    )
    return Pace(*(after_seconds(value) for value in parts))
