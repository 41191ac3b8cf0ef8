"""One seed: people, events, hosts, the engine, the app and the provider, until nothing is left to happen."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from types import SimpleNamespace

import azure.functions as func

from tests.faults.simulator import app, hub, invariants
from tests.faults.simulator.blobs import Account
from tests.faults.simulator.drops import FOREIGN, Dropped, drops_of
from tests.faults.simulator.hosts import Hosts
from tests.faults.simulator.provider import Provider
from tests.faults.simulator.stage import START, Stage
from tests.faults.simulator.trouble import Trouble, trouble_of
from tests.faults.simulator.watch import Violation, Watch
from tests.faults.simulator.wire import Wire
from tunedrop.emulator.pace import Pace, after_seconds

SWEEP_S = 600.0
DAY_S = 86_400.0
SLOW_S = 3000.0
"""A deployment that takes longer can miss its deadline by itself."""
FATES = (("file", {"ends": "error"}), ("job", "rai_data"), ("job", "rai_model"), ("deployment", {"ends": "Failed"}), ("readiness", "never"))
ENDS_WITHIN = timedelta(days=12)
"""After so much virtual time every run must have ended: late events, deadlines and storms included."""


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
        self.trouble = trouble or trouble_of(random)
        self.account = Account(self.stage, self.trouble.storage)
        speed = speed or _speed(self.stage)
        self.doomed = (speed.deployment.seconds or 0) > SLOW_S
        """Whether something at the provider ends badly by itself."""
        self.provider = Provider(self.stage, seed, speed)
        self.jobs_at_a_time = self.trouble.jobs_at_a_time
        self.words = app.Words()
        self.watch = Watch(self.stage, self.account)
        self.watch.proved = self._proved
        self.hosts = Hosts(self.stage, self.trouble, self.watch)
        self.drops = drops if drops is not None else drops_of(random, random.randint(1, 6), self.trouble.cancels)
        self._client = hub.client(self.stage, lambda: self.hosts.hub)
        self._mutation = mutation
        self._to_come = 0
        self.events_lost = self.events_doubled = 0

    def run(self) -> str:
        """Lets it all happen, and answers the hash of the trace; raises Violation."""
        wire = Wire(self.stage, self.provider, self.trouble)
        try:
            with ExitStack() as stack:
                stack.enter_context(self.stage.opened())
                stack.enter_context(app.installed(self.account, wire, self.words, {"TUNEDROP_JOBS_AT_A_TIME": str(self.jobs_at_a_time)}))
                if self._mutation:
                    stack.enter_context(self._mutation())
                self._plan()
                self._play()
                self.watch.as_it_goes()
                invariants.check(self)
        finally:
            self.provider.close()
        return self.stage.trace

    def _play(self) -> None:
        while self.stage.now < START + ENDS_WITHIN:
            self.stage.step()
            self.hosts.pump()
            self.watch.as_it_goes()
            if self._at_rest():
                return
        raise Violation("I3", f"not everything has ended after {ENDS_WITHIN.days} days: {self.watch.unended() or self.watch.unheard()}")

    def _at_rest(self) -> bool:
        if self._to_come or self.hosts.to_come or self.stage.living:
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
            self._later(drop.at_s, lambda drop=drop: self._upload(drop))
        for _ in range(self.trouble.kills):
            self._later(random.uniform(0, 12_000), self._kill)
        if random.random() < 0.5:
            self._later(random.uniform(3600, 40_000), lambda: self.hosts.hub.purge_ended())
        self.stage.after(SWEEP_S, self._sweep)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._to_come += 1

        def happen() -> None:
            self._to_come -= 1
            act()

        self.stage.after(seconds, happen)

    # People

    def _upload(self, drop: Dropped) -> None:
        for after_s, name, content in drop.blobs:
            self._later(after_s, lambda name=name, content=content: self._put(drop, name, content))
        if drop.deleted_after_s is not None:
            self._later(drop.deleted_after_s, lambda: self._delete(drop.starting))

    def _put(self, drop: Dropped, name: str, content: bytes) -> None:
        self.stage.note("upload", drop.kind, name)
        self.account.write("training", name, content)
        for after_s in self._events():
            self._later(after_s, lambda: self._event(name))
        if name == drop.starting and drop.posted is not None:
            self._later(self.stage.random.uniform(0, 5), lambda: self._post(drop))
        if name == drop.starting and drop.cancelled_after_s is not None:
            self._later(drop.cancelled_after_s, lambda: self._cancel(drop, 5))

    def _delete(self, name: str) -> None:
        self.stage.note("deleted", name)
        self.account.blobs("training").pop(name, None)

    def _events(self) -> list[float]:
        random, trouble = self.stage.random, self.trouble
        late = random.uniform(0, DAY_S) if random.random() < trouble.event_late else random.uniform(0, 30)
        lost, twice = random.random() < trouble.event_lost, random.random() < trouble.event_twice
        more = random.choice((random.uniform(0, 3), random.uniform(0, 600), random.uniform(0, DAY_S)))
        self.events_lost += lost
        self.events_doubled += twice
        return [after_s for after_s, comes in ((late, not lost), (more, twice)) if comes]

    # Triggers

    def _event(self, blob: str, tries: int = 5) -> None:
        def ended(result: object) -> None:
            if isinstance(result, BaseException) and tries > 1:
                self._later(30, lambda: self._event(blob, tries - 1))

        self.hosts.act(f"on_drop {blob}", lambda: app.functions()["on_drop"](SimpleNamespace(blob_name=blob), self._client), ended)

    def _post(self, drop: Dropped) -> None:
        request = func.HttpRequest(method="POST", url="/api/runs", body=json.dumps(drop.posted).encode())
        self.hosts.act(f"start_run {drop.starting}", lambda: app.functions()["start_run"](request, self._client), lambda _: None)

    def _cancel(self, drop: Dropped, tries: int) -> None:
        """Somebody cancels the newest run of this name; tries again while it isn't known yet, or the answer is an error."""
        found = [record for record in self.watch.records.values() if record.drop.blob == drop.starting]
        if not found:
            if tries > 1:
                self._later(60, lambda: self._cancel(drop, tries - 1))
            return
        self._cancel_run(max(found, key=lambda record: record.created_at).id, tries)

    def _proved(self, run_id: str) -> None:
        """Now and then somebody cancels a run right when its model has been proven: the last moment that counts."""
        if self.stage.random.random() < self.trouble.cancels / 2:
            self._later(self.stage.random.uniform(0, 3), lambda: self._cancel_run(run_id, 1))

    def _cancel_run(self, run_id: str, tries: int) -> None:
        request = func.HttpRequest(method="POST", url=f"/api/runs/{run_id}/cancel", body=b"", route_params={"id": run_id})

        def ended(result: object) -> None:
            if isinstance(result, func.HttpResponse):
                self.watch.cancel_answered(run_id, result.status_code)
            elif tries > 1:
                self._later(30, lambda: self._cancel_run(run_id, tries - 1))

        self.hosts.act(f"cancel_run {run_id}", lambda: app.functions()["cancel_run"](request, self._client), ended)

    def _sweep(self) -> None:
        """The timer; now and then it comes twice. While there is nothing to find it is left out, to keep a simulation quick."""
        if self.watch.unended() or self.watch.unheard():
            for _ in range(2 if self.stage.random.random() < 0.1 else 1):
                self.hosts.act("sweep", lambda: app.functions()["sweep"](SimpleNamespace(past_due=False), self._client), lambda _: None)
        self.stage.after(SWEEP_S, self._sweep)

    def _kill(self) -> None:
        """A host dies; where its engine died too, the next one sweeps when it starts."""
        if self.hosts.kill():
            sweep = app.functions()["sweep"]
            starts_s = self.stage.random.uniform(1, 120)
            started = SimpleNamespace(past_due=True)
            self._later(starts_s, lambda: self.hosts.act("sweep", lambda: sweep(started, self._client), lambda _: None))


def _speed(stage: Stage) -> Pace:
    random = stage.random
    job, deployment = random.choice((60, 1200, 8000)), random.choice((5, 60, 600, 600, 9000))
    parts = (random.choice((1, 30, 300)), job, deployment, random.choice((1, 30, 200)), random.choice((1, 20)))
    return Pace(*(after_seconds(value) for value in parts))
