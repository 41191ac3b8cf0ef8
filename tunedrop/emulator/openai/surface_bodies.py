"""Jobs and models as each surface and version shows them."""

from tunedrop.emulator import catalogue, regions
from tunedrop.emulator.openai import results
from tunedrop.emulator.openai.requests import V1
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World


def hyperparameters(doc: Doc) -> Doc:
    """The real numbers once the job runs."""
    if "epochs" not in doc:
        # As the service shows before that.
        return {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1}
    return {
        "n_epochs": doc["epochs"],
        "batch_size": doc["batch"],
        "learning_rate_multiplier": doc["multiplier"],
    }


def job(world: World, doc: Doc, version: str) -> Doc:
    """A job; v1 adds method, metadata and integrations, the api-version surface the suffix."""
    succeeded = doc["status"] == "succeeded"
    shown: Doc = {
        "object": "fine_tuning.job",
        "id": doc["id"],
        "model": doc["model"],
        "created_at": int(doc["created"]),
        "status": doc["status"],
        "fine_tuned_model": doc["result_name"] if succeeded else None,
        "training_file": doc["training_file"],
        "validation_file": doc["validation_file"],
        "result_files": [doc["result_file"]] if succeeded else None,
        "finished_at": int(doc["finished"]) if "finished" in doc else None,
        "trained_tokens": results.trained_tokens(world, doc) if succeeded else None,
        "error": doc.get("error"),
        "estimated_finish": _estimated_finish(world, doc),
        "hyperparameters": hyperparameters(doc),
        "seed": doc["seed"],
    }
    if version != V1:
        return shown | {"suffix": doc["suffix"]}
    method = {"type": doc["method"], doc["method"]: {"hyperparameters": hyperparameters(doc)}}
    return shown | {
        "organization_id": None,
        "method": method,
        "metadata": doc["metadata"],
        "integrations": None,
    }


def _estimated_finish(world: World, doc: Doc) -> int | None:
    pace = world.pace.job
    if doc["status"] != "running" or pace.seconds is None:
        return None
    return int(pace.moment(doc["since"], 1.0 - doc["base_way"], world.now()))


def base_model(model: catalogue.BaseModel, version: str, region: str) -> Doc:
    """A base model of the catalogue, as its region trains it."""
    shown: Doc = {"id": model.full_name, "object": "model"}
    if version == V1:
        return shown | {"created": 0, "owned_by": "azure-openai"}
    return shown | {
        "created_at": 0,
        "status": "succeeded",
        "lifecycle_status": "generally-available"
        if model.lifecycle == "GenerallyAvailable"
        else "deprecating",
        "capabilities": {
            "fine_tune": "Standard" in regions.training_types(model, region),
            "inference": True,
            "completion": False,
            "chat_completion": True,
            "embeddings": False,
        },
    }


def tuned_model(doc: Doc, version: str) -> Doc:
    """A model that a job of this resource made."""
    shown: Doc = {"id": doc["id"], "object": "model"}
    if version == V1:
        return shown | {"created": int(doc["created"]), "owned_by": "user"}
    capabilities = {
        "fine_tune": True,
        "inference": True,
        "completion": False,
        "chat_completion": True,
        "embeddings": False,
    }
    return shown | {
        "created_at": int(doc["created"]),
        "status": "succeeded",
        "model": doc["base"],
        "capabilities": capabilities,
    }
