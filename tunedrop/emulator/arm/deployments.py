"""Deployments of the account, one write at a time: Accepted, Creating, Succeeded; Deleting."""

from collections import Counter
from datetime import UTC, datetime

from tunedrop.emulator import catalogue
from tunedrop.emulator.arm import errors
from tunedrop.emulator.arm.requests import Wanted, wanted
from tunedrop.emulator.openai import errors as data_plane
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import ACCOUNT, World

_CREATING_AT = 0.25
_BAD = ("Failed", "Canceled")


# While one write is under way the next is a RequestConflict. A Succeeded deployment answers on the
# data plane only after its readiness; what it cost is kept when it is gone.
class Deployments:
    """The state machine of deployments; knows no HTTP."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put(self, name: str, body: Doc) -> tuple[Doc, bool]:
        """Make or change a deployment; the deployment and whether it is new."""
        asked = wanted(self._world, name, body)
        former = self._world.store.get("deployment", name)
        self._refuse_when_busy()
        if former is None:
            self._check_model(asked)
        self._check_numbers(asked, new=former is None)
        self._check_quota(asked)
        if former is not None and former["state"] not in _BAD:
            return self._change(former, asked), False
        doc = self._new(asked)
        self._save(doc)
        return doc, former is None

    def _refuse_when_busy(self, but_for: str | None = None) -> None:
        """Refuses a second write at a time."""
        # But for the deployment itself: one that a fault keeps from ever ending can be taken back.
        if any(doc["name"] != but_for for doc in self._world.store.all("deployment", live=True)):
            raise errors.busy(ACCOUNT)

    def _check_model(self, asked: Wanted) -> None:
        """Whether the model may still be deployed anew."""
        base, world = asked.base, self._world
        named = {**asked.model, "version": asked.model.get("version", "")}
        called = f"Format:{named['format']},Name:{named['name']},Version:{named['version']}"
        # What was trained from a model may be deployed longer than the model itself (lifecycle
        # page).
        ends = base.tuned_ends if asked.fine_tuned else base.inference_ends
        if not world.switches.model_access:
            raise errors.no_access(called)
        if world.is_over(ends):
            raise errors.model_retired(
                called, f"{datetime.fromtimestamp(world.day(ends), UTC):%m/%d/%Y}"
            )
        if (
            base.lifecycle == "Deprecating"
            and not asked.fine_tuned
            and world.switches.deprecating_models == "refused"
        ):
            raise errors.model_deprecating(called)

    def _check_numbers(self, asked: Wanted, *, new: bool) -> None:
        limits, there = self._world.limits, self._world.store.all("deployment")
        status = self._world.switches.too_many_deployments_status
        if (
            new
            and asked.fine_tuned
            and sum(doc["fine_tuned"] for doc in there) >= limits.fine_tuned_deployments_max
        ):
            raise errors.too_many_deployments(
                status, limits.fine_tuned_deployments_max, "fine-tuned deployments"
            )
        if new and len(there) >= limits.deployments_max:
            raise errors.too_many_deployments(status, limits.deployments_max, "deployments")

    def _check_quota(self, asked: Wanted) -> None:
        usage, limit = (
            catalogue.usage_name(asked.base, asked.sku, fine_tuned=asked.fine_tuned),
            self.quota(fine_tuned=asked.fine_tuned),
        )
        used = self.drawn(leaving_out=asked.name)[usage]
        if asked.capacity > limit - used:
            raise errors.insufficient_quota(asked.capacity, limit - used, used, limit, usage)

    def quota(self, *, fine_tuned: bool) -> int:
        """The capacity units of one usage name."""
        limits = self._world.limits
        return limits.fine_tuned_quota_units if fine_tuned else limits.quota_units

    def drawn(self, leaving_out: str | None = None) -> Counter[str]:
        """Capacity units drawn, by usage name."""
        units = Counter[str]()
        for doc in self._world.store.all("deployment"):
            if doc["name"] != leaving_out:
                units[doc["usage"]] += doc["sku"]["capacity"]
        return units

    def _new(self, asked: Wanted) -> Doc:
        return self._described(asked) | {
            "name": asked.name,
            "state": "Accepted",
            "created": self._world.now(),
            "since": self._world.now(),
            "reads": 0,
            "calls_seen": 0,
            "fate": self._world.fault("deployment", about=f"{asked.name} {asked.model['name']}"),
            "readiness_fate": self._world.fault(
                "readiness", about=f"{asked.name} {asked.model['name']}"
            ),
        }

    def _described(self, asked: Wanted) -> Doc:
        return {
            "sku": {"name": asked.sku, "capacity": asked.capacity},
            "model": asked.model,
            "fine_tuned": asked.fine_tuned,
            "base": asked.base.full_name,
            "properties": asked.properties,
            "tags": asked.tags,
            "usage": catalogue.usage_name(asked.base, asked.sku, fine_tuned=asked.fine_tuned),
            "etag": self._world.store.next_hex(),
        }

    def _change(self, doc: Doc, asked: Wanted) -> Doc:
        if (doc["model"]["name"], doc["model"].get("version")) != (
            asked.model["name"],
            asked.model.get("version"),
        ):
            if self._world.switches.in_place_model_change == "refused":
                more = asked.capacity != doc["sku"]["capacity"]
                raise (
                    errors.model_and_capacity_change_refused()
                    if more
                    else errors.model_change_refused()
                )
            doc |= {
                "state": "Accepted",
                "since": self._world.now(),
                "reads": 0,
                "fate": self._world.fault("deployment", about=asked.name),
            }
        doc |= self._described(asked)
        self._save(doc)
        return doc

    def _save(self, doc: Doc) -> None:
        self._world.store.put(
            "deployment", doc["name"], doc, live=doc["state"] not in ("Succeeded", *_BAD)
        )

    def advance(self) -> None:
        """Bring every deployment to where its pace says it is now."""
        now, pace = self._world.now(), self._world.pace
        for doc in self._world.store.all("deployment", live=True):
            if doc["state"] == "Deleting":
                if pace.deletion.gained(now - doc["since"], doc["reads"]) >= 1:
                    self._world.store.delete("deployment", doc["name"])
                continue
            way = pace.deployment.gained(now - doc["since"], doc["reads"])
            fate: Doc = doc["fate"] or {}
            if way >= 1 and fate.get("ends") != "never":
                self._finish(doc, pace.deployment.moment(doc["since"], 1.0, now))
            elif way >= _CREATING_AT:
                doc["state"] = "Creating"
            self._save(doc)

    def _finish(self, doc: Doc, at: float) -> None:
        if doc["fate"]:
            doc["state"] = doc["fate"]["ends"]
            return
        doc |= {"state": "Succeeded", "serving": doc["model"]}
        doc.setdefault("succeeded", at)
        if doc["fine_tuned"] and "hosting" not in doc:
            doc["hosting"] = self._world.new_id("hosting")
            hosting: Doc = {
                "deployment": doc["name"],
                "model": doc["model"]["name"],
                "sku": doc["sku"]["name"],
                "from": at,
                "until": None,
            }
            self._world.store.put("hosting", doc["hosting"], hosting)

    def find(self, name: str) -> Doc:
        """One deployment; refuses an unknown name."""
        doc = self._world.store.get("deployment", name)
        if doc is None:
            raise errors.deployment_not_found(self._world.switches.missing_deployment_code)
        return doc

    def read(self, name: str) -> Doc:
        """One deployment, for a caller who watches it: the read counts for its pace."""
        doc = self.find(name)
        doc["reads"] += 1
        self._save(doc)
        self.advance()
        return self.find(name)

    def all(self) -> list[Doc]:
        """Deployments, oldest first."""
        return self._world.store.all("deployment")

    def delete(self, name: str) -> bool:
        """Begin to delete; False when there is no such deployment."""
        doc = self._world.store.get("deployment", name)
        if doc is None:
            return False
        self._refuse_when_busy(but_for=name if doc["fate"] else None)
        doc |= {"state": "Deleting", "since": self._world.now(), "reads": 0}
        self._save(doc)
        # Hosting ends now, not when the deployment is gone.
        if hosting := self._world.store.get("hosting", doc.get("hosting", "")):
            self._world.store.put("hosting", doc["hosting"], hosting | {"until": self._world.now()})
        return True

    def answering(self, name: str) -> Doc:
        """The deployment that a chat call reaches; refuses as the data plane does until it is
        ready.
        """
        doc = self._world.store.get("deployment", name)
        if doc is None or "serving" not in doc or doc["state"] == "Deleting":
            raise data_plane.deployment_not_found()
        base = catalogue.of_training(doc.get("base", ""))
        if base is not None and self._world.is_over(
            base.tuned_ends if doc["fine_tuned"] else base.inference_ends
        ):
            raise data_plane.model_retired()
        doc["calls_seen"] += 1
        self._save(doc)
        way = self._world.pace.readiness.gained(
            self._world.now() - doc["succeeded"], doc["calls_seen"]
        )
        if way < 1 or doc["readiness_fate"]:
            raise data_plane.deployment_not_found(self._world.switches.not_ready_code)
        return doc

    def note_calls(self, name: str, calls: list[float]) -> None:
        """Keep the times of the last minute's calls."""
        self._save(self.find(name) | {"calls": calls})

    def costs(self) -> list[Doc]:
        """What each deployment of a fine-tuned model cost until now, or until it was deleted."""
        now = self._world.now()
        found: list[Doc] = []
        for hosting in self._world.store.all("hosting"):
            hours = (
                (now if hosting["until"] is None else hosting["until"]) - hosting["from"]
            ) / 3600
            price = catalogue.HOSTING_USD_PER_HOUR[hosting["sku"].lower()]
            found.append(
                {**hosting, "hours": hours, "usd_per_hour": price, "cost_usd": hours * price}
            )
        return found
