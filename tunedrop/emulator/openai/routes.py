"""The operations of the data plane: decode, ask the state machines, encode."""

from dataclasses import replace
from typing import cast

from tunedrop.emulator import catalogue, examples, regions
from tunedrop.emulator.call import Call, Operation, Reply, Upload
from tunedrop.emulator.openai import errors, files, requests, surface_bodies
from tunedrop.emulator.openai.chat import Chat
from tunedrop.emulator.openai.files import Files
from tunedrop.emulator.openai.jobs import Jobs
from tunedrop.emulator.openai.requests import V1
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

_PAGED = frozenset({"after", "limit"})
_OPENAI = "Microsoft.CognitiveServices/accounts/OpenAI"
# The data action of each operation. The catalogue's roles name whole branches (`OpenAI/*`,
# `OpenAI/*/read`); the leaves `files/*`, `fine-tunes/*` and `deployments/chat/completions/action`
# stand in public role definitions, `models/read` is assumed.
_ACTIONS = {
    "files.create": "files/write",
    "files.list": "files/read",
    "files.retrieve": "files/read",
    "files.delete": "files/delete",
    "files.content": "files/read",
    "fine_tuning.jobs.create": "fine-tunes/write",
    "fine_tuning.jobs.list": "fine-tunes/read",
    "fine_tuning.jobs.retrieve": "fine-tunes/read",
    "fine_tuning.jobs.cancel": "fine-tunes/write",
    "fine_tuning.jobs.list_events": "fine-tunes/read",
    "fine_tuning.jobs.checkpoints.list": "fine-tunes/read",
    "models.list": "models/read",
    "models.retrieve": "models/read",
    "fine_tuning.jobs.delete": "fine-tunes/delete",
    "fine_tuning.jobs.pause": "fine-tunes/write",
    "fine_tuning.jobs.resume": "fine-tunes/write",
    "chat.completions.create": "deployments/chat/completions/action",
}


def page(found: list[Doc], call: Call, default: int, longest: int = 100) -> Doc:
    """One page of a list that is newest first, by `after` and `limit`."""
    text = call.query.get("limit", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= longest:
        raise errors.invalid(f"limit is a number from 1 to {longest}.", "limit")
    ids = [doc["id"] for doc in found]
    after = call.query.get("after")
    if after is not None and after not in ids:
        raise errors.invalid("after names nothing in this list.", "after")
    start = ids.index(after) + 1 if after is not None else 0
    data = found[start : start + int(text)]
    return {"object": "list", "data": data, "has_more": start + int(text) < len(found)}


def _with_ends(answer: Doc) -> Doc:
    """A page with the ids of its ends, where the description has them."""
    data = answer["data"]
    return answer | {
        "first_id": data[0]["id"] if data else "",
        "last_id": data[-1]["id"] if data else "",
    }


class DataPlane:
    """The data plane of one resource."""

    def __init__(self, world: World, files_: Files, jobs: Jobs, chat: Chat) -> None:
        self._world = world
        self._files = files_
        self._jobs = jobs
        self._chat = chat

    def operations(self, surface: str) -> list[Operation]:
        """What a surface offers, "v1" or "api-version"; paths stand under its root."""
        return [
            replace(one, action=f"{_OPENAI}/{_ACTIONS[one.name]}")
            for one in self._operations(surface)
        ]

    def _operations(self, surface: str) -> list[Operation]:
        v1 = surface == V1
        job = "/fine_tuning/jobs/{id}"
        common = [
            Operation(
                "files.create",
                "POST",
                "/files",
                self._create_file,
                takes="form",
                writes=True,
                prepare=self._examine,
            ),
            Operation(
                "files.list",
                "GET",
                "/files",
                self._list_files,
                _PAGED | {"purpose", "order"} if v1 else frozenset({"purpose"}),
            ),
            Operation("files.retrieve", "GET", "/files/{id}", self._get_file),
            Operation("files.delete", "DELETE", "/files/{id}", self._delete_file, writes=True),
            Operation("files.content", "GET", "/files/{id}/content", self._file_content),
            Operation(
                "fine_tuning.jobs.create",
                "POST",
                "/fine_tuning/jobs",
                self._create_job,
                takes="json",
                writes=True,
            ),
            Operation("fine_tuning.jobs.list", "GET", "/fine_tuning/jobs", self._list_jobs, _PAGED),
            Operation("fine_tuning.jobs.retrieve", "GET", job, self._get_job),
            Operation(
                "fine_tuning.jobs.cancel",
                "POST",
                f"{job}/cancel",
                self._cancel_job,
                takes="json",
                writes=True,
            ),
            Operation("fine_tuning.jobs.list_events", "GET", f"{job}/events", self._events, _PAGED),
            Operation(
                "fine_tuning.jobs.checkpoints.list",
                "GET",
                f"{job}/checkpoints",
                self._checkpoints,
                _PAGED,
            ),
            Operation("models.list", "GET", "/models", self._list_models),
            Operation("models.retrieve", "GET", "/models/{id}", self._get_model),
        ]
        if not v1:
            chat = Operation(
                "chat.completions.create",
                "POST",
                "/deployments/{name}/chat/completions",
                self._complete,
                takes="json",
            )
            return [
                *common,
                chat,
                Operation("fine_tuning.jobs.delete", "DELETE", job, self._delete_job, writes=True),
            ]
        return [
            *common,
            Operation(
                "fine_tuning.jobs.pause",
                "POST",
                f"{job}/pause",
                self._pause,
                takes="json",
                writes=True,
            ),
            Operation(
                "fine_tuning.jobs.resume",
                "POST",
                f"{job}/resume",
                self._resume,
                takes="json",
                writes=True,
            ),
            Operation(
                "chat.completions.create", "POST", "/chat/completions", self._complete, takes="json"
            ),
        ]

    def _created(self, call: Call, doc: Doc, path: str) -> Reply:
        status = self._world.switches.v1_create_status if call.version == V1 else 201
        root, query = (
            ("/openai/v1", "")
            if call.version == V1
            else ("/openai", f"?api-version={call.version}")
        )
        return Reply(
            status,
            doc,
            headers={"location": f"{call.base_url}{root}{path}/{doc['id']}{query}"},
            id=doc["id"],
        )

    # Files

    def _upload(self, call: Call) -> Upload:
        form = call.form
        if unknown := (set(form.fields) | set(form.files)) - {"file", "purpose"}:
            raise errors.unknown_fields(list(unknown))
        if "file" not in form.files:
            raise errors.invalid("The form has a file.", "file")
        if not form.files["file"].content_type:
            raise errors.invalid("The file has no or an empty content type specified.", "file")
        if form.fields.get("purpose") != files.PURPOSE:
            raise errors.invalid(
                f"The stand-in takes files with the purpose {files.PURPOSE} only.", "purpose"
            )
        if not form.files["file"].filename:
            raise errors.invalid("The file has a name.", "file")
        return form.files["file"]

    def _examine(self, call: Call) -> None:
        call.facts = examples.examine(self._upload(call).chunks())

    def _create_file(self, call: Call) -> Reply:
        upload = self._upload(call)
        facts = call.facts or examples.examine(upload.chunks())
        doc = self._files.create(upload.filename, upload.size, facts, upload.chunks())
        return self._created(call, files.shown(doc), "/files")

    def _list_files(self, call: Call) -> Reply:
        found = [
            files.shown(doc)
            for doc in self._visible(self._files.all(call.query.get("purpose")), call)
        ]
        if call.version != V1:
            return Reply(200, {"object": "list", "data": found})
        if call.query.get("order") == "asc":
            found.reverse()
        return Reply(200, _with_ends(page(found, call, default=10_000, longest=10_000)))

    def _visible(self, found: list[Doc], call: Call) -> list[Doc]:
        """A list without what is younger than the lag that a fault set."""
        return [
            doc
            for doc in found
            if not call.lag_s or self._world.now() - doc["created"] >= call.lag_s
        ]

    def _get_file(self, call: Call) -> Reply:
        return Reply(200, files.shown(self._files.read(call.path["id"])), id=call.path["id"])

    def _delete_file(self, call: Call) -> Reply:
        self._files.delete(call.path["id"])
        return Reply(
            200, {"id": call.path["id"], "object": "file", "deleted": True}, id=call.path["id"]
        )

    def _file_content(self, call: Call) -> Reply:
        return Reply(200, content=self._files.content(call.path["id"]), id=call.path["id"])

    # Jobs

    def _create_job(self, call: Call) -> Reply:
        doc = self._jobs.create(call.body, call.version)
        return self._created(
            call, surface_bodies.job(self._world, doc, call.version), "/fine_tuning/jobs"
        )

    def _shown_job(self, call: Call, doc: Doc) -> Reply:
        return Reply(200, surface_bodies.job(self._world, doc, call.version), id=doc["id"])

    def _list_jobs(self, call: Call) -> Reply:
        found = [
            surface_bodies.job(self._world, doc, call.version)
            for doc in self._visible(self._jobs.all(), call)
        ]
        return Reply(200, page(found, call, default=20))

    def _get_job(self, call: Call) -> Reply:
        return self._shown_job(call, self._jobs.read(call.path["id"]))

    def _cancel_job(self, call: Call) -> Reply:
        return self._shown_job(call, self._jobs.cancel(call.path["id"]))

    def _pause(self, call: Call) -> Reply:
        return self._shown_job(call, self._jobs.pause(call.path["id"]))

    def _resume(self, call: Call) -> Reply:
        return self._shown_job(call, self._jobs.resume(call.path["id"]))

    def _delete_job(self, call: Call) -> Reply:
        self._jobs.delete(call.path["id"])
        return Reply(204, id=call.path["id"])

    def _events(self, call: Call) -> Reply:
        return Reply(
            200, page(self._jobs.events(call.path["id"]), call, default=20), id=call.path["id"]
        )

    def _checkpoints(self, call: Call) -> Reply:
        found = page(self._jobs.checkpoints(call.path["id"]), call, default=10)
        return Reply(200, _with_ends(found), id=call.path["id"])

    # Models and chat

    def _list_models(self, call: Call) -> Reply:
        base = [
            surface_bodies.base_model(model, call.version, self._world.region)
            for model in catalogue.MODELS
            if regions.offers(model, self._world.region)
        ]
        tuned = [
            surface_bodies.tuned_model(doc, call.version) for doc in self._world.store.all("model")
        ]
        return Reply(200, {"object": "list", "data": [*base, *tuned]})

    def _get_model(self, call: Call) -> Reply:
        name = call.path["id"]
        if (base := catalogue.of_training(name)) is not None and regions.offers(
            base, self._world.region
        ):
            return Reply(
                200, surface_bodies.base_model(base, call.version, self._world.region), id=name
            )
        tuned = self._world.store.get("model", name)
        if tuned is None:
            raise errors.not_found("model")
        return Reply(200, surface_bodies.tuned_model(tuned, call.version), id=name)

    def _complete(self, call: Call) -> Reply:
        name = call.path.get("name") or call.body.get("model")
        if not isinstance(name, str) or not name:
            raise errors.invalid("model names a deployment.", "model")
        return Reply(200, self._chat.complete(name, call.body), id=name)


def error_body(call_version: str, operation: str, status: int, refusal: Doc, shape: str) -> Doc:
    """An error as the surface writes it: OpenAI's shape on v1 and for inference, the authoring
    API's elsewhere.
    """
    inference = operation.startswith("chat.")
    plain: Doc = {"code": refusal["code"], "message": refusal["message"]}
    if not inference and (call_version != V1 or shape == "azure"):
        return {"error": plain | ({"target": refusal["param"]} if refusal["param"] else {})}
    body = plain | {
        "param": refusal["param"],
        "type": "invalid_request_error" if status < 500 else "server_error",
    }
    if refusal["inner"]:
        body |= {"status": status, "innererror": cast("Doc", refusal["inner"])}
    return {"error": body}


VERSIONS = requests.VERSIONS
