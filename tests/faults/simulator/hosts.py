"""Where the app runs: instances with clocks of their own, the engine whose work items they take,
and their deaths.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from inspect import signature
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb

from shared.models.pace import Pace
from tests.faults.simulator import app
from tests.faults.simulator.hub import Hub, client
from tests.faults.simulator.stage import Actor, Killed, Stage, Strike
from tests.faults.simulator.stories import Stories, replayed
from tests.faults.simulator.trouble import Trouble
from tests.faults.simulator.watch import Watch

LEASE_S = 60.0
# The share of an orchestrator's turns that are replayed too, as after a worker's death.
REPLAYED = 0.1


class Host:
    """One instance of the app: its clock, and what it is working on."""

    def __init__(self, skew_s: float) -> None:
        self.skew = timedelta(seconds=skew_s)
        self.actors: set[Actor] = set()


class Hosts:
    """All instances, and the one engine that they share."""

    def __init__(
        self, stage: Stage, trouble: Trouble, watch: Watch, pace: Pace | None = None
    ) -> None:
        self._stage = stage
        self._trouble = trouble
        self._watch = watch
        self._pace = pace
        self._hosts = [
            Host(stage.random.uniform(-1, 1) * trouble.clock_s) for _ in range(trouble.hosts)
        ]
        self._stories = Stories()
        self.hub = self._new_hub()
        self._client = client(stage, lambda: self.hub)
        self.hubs = [self.hub]
        """Also those that were lost: what they held is searched for text of the drops."""
        self.to_come = 0
        """Late second executions that have not begun yet."""

    def _new_hub(self) -> Hub:
        return Hub(self._stage, ended_is_replaced=self._trouble.ended_is_replaced)

    def act(
        self,
        what: str,
        work: Callable[[], object],
        ended: Callable[[object], None],
        strike: Strike | None = None,
    ) -> None:
        """Has some instance do this work, to its end, to what befalls it on the way, or to the
        instance's death.
        """
        host = self._stage.random.choice(self._hosts)

        def over(result: object) -> None:
            host.actors.discard(actor)
            self._stage.note("ended", what, _short(result))
            ended(result)

        def paced() -> object:
            app.own_pace.set(self._pace)
            return work()

        actor = Actor(self._stage, paced, over, skew=host.skew, strike=strike)
        host.actors.add(actor)
        self._stage.note("begins", what)
        actor.begin()

    def jump(self) -> None:
        """The clock of one instance jumps, by minutes or by a day."""
        random = self._stage.random
        host = random.choice(self._hosts)
        host.skew = timedelta(seconds=random.uniform(-1, 1) * random.choice((600, 600, 86_400)))
        self._stage.note("jumped", f"{host.skew.total_seconds():.0f} s")

    def kill(self) -> bool:
        """Kills one instance; or all of them with the engine, where that goes with them, which is
        the answer.
        """
        lost = self._trouble.engine_lost
        self._stage.note("killed", "hosts and engine" if lost else "a host")
        self._stories.forget()
        if lost:
            self.hub = self._new_hub()
            self.hubs.append(self.hub)
        victims = self._hosts if lost else [self._stage.random.choice(self._hosts)]
        for actor in [
            actor for host in victims for actor in sorted(host.actors, key=lambda a: a.number)
        ]:
            actor.kill()
        return lost

    def pump(self) -> None:
        """Takes what the engine has to do, and has it done soon."""
        while (item := self.hub.take()) is not None:
            if item.HasField("orchestratorRequest"):
                self._orchestrate(self.hub, item.orchestratorRequest, item.completionToken)
            else:
                self._perform(self.hub, item.activityRequest, item.completionToken)

    def _orchestrate(self, of: Hub, request: pb.OrchestratorRequest, token: str) -> None:
        def execute() -> None:
            if of is not self.hub:
                return
            answer = self._executed(request)
            self._watch.turned(request, answer)
            answer.completionToken = token
            self._stage.note("orchestrator", request.instanceId, len(answer.actions))
            of.call("CompleteOrchestratorTask", answer)

        self._stage.after(self._stage.random.uniform(0.01, 1), execute)

    def _executed(self, request: pb.OrchestratorRequest) -> pb.OrchestratorResponse:
        answer = self._stories.turned(request)
        if self._stage.random.random() < REPLAYED:
            self._watch.replayed(request.instanceId, answer, replayed(request))
        return answer

    def _perform(self, of: Hub, request: pb.ActivityRequest, token: str) -> None:
        """Once; twice at about the same time; a second time much later; or to a death or a long
        halt in it, and again after the lease.
        """
        random = self._stage.random
        fate = (
            random.choice(("twice", "late", "dies", "freezes"))
            if random.random() < self._trouble.activity
            else "once"
        )
        settled = False

        def answered(result: object) -> None:
            nonlocal settled
            if isinstance(result, Killed) or settled or of is not self.hub:
                return
            settled = True
            of.call("CompleteActivityTask", _response(request, token, result))

        def lost(_: object) -> None:
            if of is self.hub and not settled:
                self._stage.after(
                    random.uniform(LEASE_S, 5 * LEASE_S), lambda: self._perform(of, request, token)
                )

        def ended(result: object) -> None:
            lost(result) if isinstance(result, Killed) else answered(result)

        def begin(
            ended: Callable[[object], None], strike: Strike | None = None
        ) -> Callable[[], None]:
            return lambda: self._activity(request, ended, strike) if of is self.hub else None

        first_s = random.uniform(0.01, 2)
        if fate == "dies":
            self._stage.after(first_s, begin(lost, self._strike(None)))
            return
        run_id = str(json.loads(request.input.value)["run_id"])
        frozen = self._strike(random.uniform(30, 4000), run_id) if fate == "freezes" else None
        self._stage.after(first_s, begin(ended, frozen))
        if frozen:
            self._stage.after(first_s + random.uniform(LEASE_S, 5 * LEASE_S), begin(answered))
        if fate == "twice":
            self._stage.after(
                first_s + random.choice((0, random.uniform(0, 3), random.uniform(0, 60))),
                begin(answered),
            )
        if fate == "late":
            self._much_later(random.uniform(60, 20_000), begin(answered))

    def _strike(self, frozen_s: float | None, run_id: str = "") -> Strike:
        at_checkpoint = self._stage.random.random() < 0.5
        in_call = self._stage.random.random() < self._trouble.in_calls and not at_checkpoint
        told = partial(self._watch.frozen_in_a_call.add, run_id) if in_call else None
        return Strike(
            self._stage.random.randint(1, 4 if at_checkpoint or told else 25),
            frozen_s,
            at_checkpoint,
            told,
        )

    def _much_later(self, seconds: float, act: Callable[[], None]) -> None:
        self.to_come += 1

        def happen() -> None:
            self.to_come -= 1
            act()

        self._stage.after(seconds, happen)

    def _activity(
        self, request: pb.ActivityRequest, ended: Callable[[object], None], strike: Strike | None
    ) -> None:
        given = json.loads(request.input.value)
        what = f"{request.name} {given.get('role', '')} of {given['run_id']}"

        began = self._stage.now

        def over(result: object) -> None:
            self._watch.activity_ended(what, result, began)
            ended(result)

        activity = app.functions()[request.name]
        more = {"client": self._client} if "client" in signature(activity).parameters else {}
        self.act(what, lambda: activity(request=given, **more), over, strike)


def _response(request: pb.ActivityRequest, token: str, result: object) -> pb.ActivityResponse:
    response = pb.ActivityResponse(
        instanceId=request.orchestrationInstance.instanceId,
        taskId=request.taskId,
        completionToken=token,
    )
    if isinstance(result, BaseException):
        response.failureDetails.CopyFrom(
            pb.TaskFailureDetails(errorType=type(result).__name__, errorMessage=str(result))
        )
    else:
        response.result.value = json.dumps(result)
    return response


def _short(result: object) -> str:
    if isinstance(result, BaseException):
        return f"{type(result).__name__} {str(result)[:80]}"
    return (
        str(cast("dict[str, Any]", result).get("kind"))
        if isinstance(result, dict)
        else type(result).__name__
    )
