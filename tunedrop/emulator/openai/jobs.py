"""Fine-tuning jobs: pending, running, then succeeded, failed or cancelled. Three run at once, five
of the developer tier; the others wait in their order.
"""

from tunedrop.emulator import catalogue, counting, examples
from tunedrop.emulator.openai import errors, progress, requests, results
from tunedrop.emulator.openai.files import Files
from tunedrop.emulator.openai.progress import ENDED, RUNNING_AT, TRAINED_AT, TRAINING_AT
from tunedrop.emulator.openai.requests import Wanted
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

# Billed tokens are rounded up to a thousand: one published job with 4,980 tokens was billed as
# 5,000.
BILLING_STEP = 1_000


# A job's way has a length of 1: the first 15 % is the queue, training stands between 20 % and 70 %,
# `Job succeeded.` comes long before the status says so. What is due is computed when somebody asks;
# a job that no request watched ends at the time at which it would have ended.
class Jobs:
    """The state machine of jobs; knows no HTTP."""

    def __init__(self, world: World, files: Files) -> None:
        self._world = world
        self._files = files

    def create(self, body: Doc, version: str) -> Doc:
        """Queue a job; refuses what the body, the files or the limits forbid."""
        wanted = requests.wanted(self._world, body, version)
        facts = self._counted(wanted, self._facts(wanted.training_file, "training_file"))
        if wanted.validation_file:
            self._facts(wanted.validation_file, "validation_file")
        self._check_limits(wanted, facts)
        doc = self._new(wanted, facts)
        self._save(doc)
        self._world.store.add_event(
            doc["id"],
            self._event("Job enqueued. Waiting for jobs ahead to complete.", doc["created"]),
        )
        return doc

    def _facts(self, file_id: str, field: str) -> Doc:
        file = self._world.store.get("file", file_id)
        if file is None or "facts" not in file:
            raise errors.invalid(f"The {field} does not exist or has another purpose.", field)
        if file["status"] != "processed":
            message = f"The {field} is not processed: its status is {file['status']}."
            raise errors.wrong_state(self._world.switches.entity_state_status, message)
        return file["facts"]

    def _counted(self, wanted: Wanted, facts: Doc) -> Doc:
        """The facts of the training file with the tokens that this model sees."""
        # An upload was counted in the encoding of today's models.
        if wanted.base.encoding == counting.USUAL:
            return facts
        return examples.examine(
            self._world.store.content(wanted.training_file), wanted.base.encoding
        ).to_json()

    def _check_limits(self, wanted: Wanted, facts: Doc) -> None:
        limits, jobs = self._world.limits, self._world.store.all("job")
        if facts["examples"] < limits.examples_min:
            message = (
                f"The training file has {facts['examples']} examples; at least "
                f"{limits.examples_min} are needed."
            )
            raise errors.jsonl_invalid(message)
        epochs = wanted.hyperparameters.get("n_epochs") or auto_epochs(facts["examples"])
        if facts["tokens"] * epochs > limits.job_tokens_max:
            raise errors.quota_exceeded(f"Tokens times epochs exceed {limits.job_tokens_max}.")
        if len(jobs) >= limits.jobs_max:
            raise errors.quota_exceeded(
                f"The resource holds its maximum of {limits.jobs_max} fine-tuning jobs."
            )
        if sum(doc["status"] == "pending" for doc in jobs) >= limits.jobs_queued_max:
            raise errors.quota_exceeded(
                f"The resource has its maximum of {limits.jobs_queued_max} queued fine-tuning jobs."
            )

    def _new(self, wanted: Wanted, facts: Doc) -> Doc:
        now, identity = self._world.now(), self._world.new_id("ftjob")
        tail = f"-{wanted.suffix}" if wanted.suffix else ""
        return {
            "id": identity,
            "created": now,
            "status": "pending",
            "model": wanted.model,
            "base": wanted.base.full_name,
            "continued_from": wanted.continued_from,
            "result_name": f"{wanted.base.full_name}.ft-{identity.removeprefix('ftjob-')}{tail}",
            "training_file": wanted.training_file,
            "validation_file": wanted.validation_file,
            "suffix": wanted.suffix,
            "seed": int(self._world.store.next_hex()[:7], 16)
            if wanted.seed is None
            else wanted.seed,
            "method": wanted.method,
            "training_type": wanted.training_type,
            "metadata": wanted.metadata if self._world.switches.keep_metadata else None,
            "wanted": wanted.hyperparameters,
            "facts": facts,
            "fate": self._world.fault("job", about=f"{wanted.suffix} {wanted.training_file}"),
            "base_way": 0.0,
            "since": now,
            "reads": 0,
            "told": 0.0,
        }

    def _event(self, message: str, at: float, data: Doc | None = None, level: str = "info") -> Doc:
        return {
            "object": "fine_tuning.job.event",
            "id": self._world.new_id("ftevent"),
            "created_at": int(at),
            "level": level,
            "message": message,
            "type": "metrics" if data else "message",
            **({"data": data} if data else {}),
        }

    def _save(self, doc: Doc) -> None:
        self._world.store.put("job", doc["id"], doc, live=doc["status"] not in ENDED)

    def find(self, id_: str) -> Doc:
        """One job; refuses an unknown id."""
        doc = self._world.store.get("job", id_)
        if doc is None:
            raise errors.not_found("fine-tuning job")
        return doc

    def read(self, id_: str) -> Doc:
        """One job, for a caller who watches it: the read counts for its pace."""
        doc = self.find(id_)
        doc["reads"] += 1
        self._save(doc)
        self.advance()
        return self.find(id_)

    def all(self) -> list[Doc]:
        """Jobs, newest first."""
        return self._world.store.all("job")[::-1]

    def delete(self, id_: str) -> None:
        """Forget an ended job; its model stays."""
        if self.find(id_)["status"] not in ENDED:
            raise errors.wrong_state(
                self._world.switches.entity_state_status, "The job has not ended."
            )
        self._world.store.delete("job", id_)

    # Progress

    def advance(self) -> None:
        """Bring every job to where its pace and the free slots say it is now."""
        freed: dict[bool, float] = {}
        while (change := self._next_change(freed)) is not None:
            at, doc = change
            if doc["status"] == "pending":
                self._start(doc, at)
            else:
                self._tell(doc, 1.0)
                self._end(doc, at)
                freed[_developer(doc)] = at
        for doc in self._world.store.all("job", live=True):
            if doc["status"] == "running":
                self._tell(doc, self._way(doc))
                self._save(doc)

    def _way(self, doc: Doc) -> float:
        gained = self._world.pace.job.gained(self._world.now() - doc["since"], doc["reads"])
        return min(1.0, doc["base_way"] + gained)

    def _moment(self, doc: Doc, way: float) -> float:
        return self._world.pace.job.moment(
            doc["since"], max(0.0, way - doc["base_way"]), self._world.now()
        )

    def _next_change(self, freed: dict[bool, float]) -> tuple[float, Doc] | None:
        """The earliest end or start that is due, with its time."""
        live = self._world.store.all("job", live=True)
        limits = self._world.limits
        room = {False: limits.jobs_running_max, True: limits.developer_jobs_running_max}
        for doc in live:
            room[_developer(doc)] -= doc["status"] == "running"
        due: list[tuple[float, Doc]] = []
        for doc in live:
            if doc["status"] == "running" and self._way(doc) >= self._last(doc):
                due.append((self._moment(doc, self._last(doc)), doc))
            elif (
                doc["status"] == "pending"
                and room[_developer(doc)] > 0
                and self._way(doc) >= RUNNING_AT
            ):
                due.append(
                    (max(self._moment(doc, RUNNING_AT), freed.get(_developer(doc), 0.0)), doc)
                )
        return min(due, key=lambda pair: (pair[0], pair[1]["created"])) if due else None

    def _last(self, doc: Doc) -> float:
        """How far along its way a job ends."""
        fate = doc["fate"] or doc.get("broken")
        if not fate:
            return 1.0
        if fate.get("ends") == "never":
            return float("inf")
        # A refusal of the data comes before training, one of the model after it.
        return progress.MODEL_CHECKED_AT if fate.get("phase") == "model" else TRAINING_AT

    def _start(self, doc: Doc, at: float) -> None:
        if "steps" not in doc:
            doc |= results.train(self._world, doc, auto_epochs(doc["facts"]["examples"]))
        doc |= {
            "status": "running",
            "since": at,
            "base_way": max(RUNNING_AT, doc["base_way"]),
            "reads": 0,
        }
        self._save(doc)

    def _tell(self, doc: Doc, way: float) -> None:
        """Write the events that have come due since the last time."""
        for due in progress.due(
            doc, results.curve(self._world, doc), doc["told"], min(way, self._last(doc))
        ):
            event = self._event(due.message, self._moment(doc, due.at), due.data)
            self._world.store.add_event(doc["id"], event)
        doc["told"] = max(doc["told"], min(way, self._last(doc)))

    def _end(self, doc: Doc, at: float) -> None:
        fate = doc["fate"] or doc.get("broken")
        doc["finished"] = at
        if fate:
            doc["status"] = "failed"
            message = str(fate.get("message", "The job failed."))
            doc["error"] = {
                "code": fate.get("code", "jobFailed"),
                "message": message,
                "param": None,
            }
            self._world.store.add_event(doc["id"], self._event(message, at, level="error"))
            self._charge(doc, 0.0)
        else:
            doc["status"] = "succeeded"
            doc["result_file"] = results.keep(self._world, self._files, doc, at)["id"]
            self._world.store.add_event(
                doc["id"], self._event(f"Completed results file: {doc['result_file']}", at)
            )
            self._bill(doc, 1.0, at)
        self._save(doc)

    def _bill(self, doc: Doc, share: float, at: float) -> None:
        """Charge the share of the training that was done."""
        tokens = round(doc["facts"]["tokens"] * doc["epochs"] * share)
        # Tokens times epochs, rounded up to a thousand.
        doc["billed_tokens"] = -(-tokens // BILLING_STEP) * BILLING_STEP
        self._world.store.add_event(
            doc["id"], self._event(f"Training tokens billed: {doc['billed_tokens']}", at)
        )
        base = catalogue.of_training(doc["base"])
        self._charge(
            doc,
            catalogue.training_usd(base, doc["training_type"], doc["billed_tokens"])
            if base
            else 0.0,
        )

    def _charge(self, doc: Doc, cost_usd: float) -> None:
        details: Doc = {"billed_tokens": doc.get("billed_tokens", 0), "job_status": doc["status"]}
        details |= {"file_tokens": doc["facts"]["tokens"], "epochs": doc.get("epochs")}
        self._world.charge("fine_tuning.jobs.billed", doc["id"], cost_usd, details)

    # What callers do to a job

    def cancel(self, id_: str) -> Doc:
        """Stop a job; refuses one that has ended."""
        doc = self.find(id_)
        if doc["status"] in ENDED:
            raise errors.wrong_state(
                self._world.switches.entity_state_status,
                f"The job can't be cancelled: it is {doc['status']}.",
            )
        way, now = (
            self._way(doc) if doc["status"] == "running" else doc["base_way"],
            self._world.now(),
        )
        done = min(1.0, max(0.0, (way - TRAINING_AT) / (TRAINED_AT - TRAINING_AT)))
        doc |= {"status": "cancelled", "finished": now}
        self._world.store.add_event(doc["id"], self._event("Job cancelled.", now))
        # Training done so far is billed, as on Azure.
        if done > 0:
            self._bill(doc, done, now)
        else:
            self._charge(doc, 0.0)
        self._save(doc)
        return doc

    def pause(self, id_: str) -> Doc:
        """Halt a running job that has done a step; it gives its slot away."""
        doc = self.find(id_)
        way = self._way(doc)
        if doc["status"] != "running" or way <= TRAINING_AT:
            raise errors.wrong_state(
                self._world.switches.entity_state_status,
                "Only a running job that has done a step can be paused.",
            )
        doc |= {"base_way": way, "status": self._world.switches.paused_status}
        self._save(doc)
        return doc

    def resume(self, id_: str) -> Doc:
        """Let a paused job go on; it waits for a slot where none is free."""
        doc = self.find(id_)
        if doc["status"] in (*ENDED, "pending", "running"):
            raise errors.wrong_state(
                self._world.switches.entity_state_status, "Only a paused job can be resumed."
            )
        doc |= {"status": "pending", "since": self._world.now(), "reads": 0}
        self._save(doc)
        return doc

    def events(self, id_: str) -> list[Doc]:
        """A job's events, newest first."""
        self.find(id_)
        return self._world.store.events(id_)

    def checkpoints(self, id_: str) -> list[Doc]:
        """The checkpoints that stay, newest first; none before training is over."""
        doc = self.find(id_)
        if "steps" not in doc or doc["told"] < TRAINED_AT:
            return []
        return results.checkpoints(self._world, doc, self._moment(doc, TRAINED_AT))


def _developer(doc: Doc) -> bool:
    return doc["training_type"] == "Developer"


def auto_epochs(examples: int) -> int:
    """Epochs where none are asked for: 100 / examples within 3 and 25; 2 from 500 examples on."""
    # Ten examples gave ten epochs and 500 gave two in published jobs; the rest is OpenAI's helper,
    # not Azure's word.
    return 2 if examples >= 500 else min(25, max(3, 100 // examples))
