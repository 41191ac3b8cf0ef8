"""Every call that the app makes of a service, as its adapters make it;
`tests/faults/test_hostile.py` holds that none is missing.
"""

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shared import settings
from shared.models.plan import DeploymentPlan
from shared.services import azure_openai, resource_manager, storage
from shared.services.arm_facts import DeploymentFacts, ModelFacts, Quota
from shared.services.azure_openai import AzureOpenAI, JobOrder
from shared.services.container import BlobPage, Container
from shared.services.credentials import managed_identity
from shared.services.openai_facts import FileFacts, JobEvent, JobFacts, Reply
from shared.services.resource_manager import ResourceManager
from tests.faults.hostile.misbehaviours import SAME_MARKER
from tests.faults.hostile.sound import BLOB, CONTENT
from tests.unit.adapters.misbehaving import ACCOUNT_ID

OLDER = "2025-04-01-preview"
ORDER = JobOrder(
    "gpt-4.1-mini-2025-04-14",
    "file-1",
    None,
    "travel",
    7,
    "supervised",
    "GlobalStandard",
    {"n_epochs": 3},
)
PLAN = DeploymentPlan(name="d", sku="GlobalStandard", capacity=1)


@dataclass(frozen=True)
class Call:
    """One call. `of`: the adapter's method; `right`: what it answers where all is well; `creates`:
    the request that makes something, which is sent once, and whose outcome is unknown where its
    answer can't be used.
    """

    of: Callable[..., Any]
    ask: Callable[[float], Any]
    right: Any = None
    creates: str = ""


def openai(version: str | None = None) -> AzureOpenAI:
    """The adapter as the app makes it."""
    return azure_openai.connect(settings.settings().openai_endpoint, version)


def arm() -> ResourceManager:
    """The adapter as the app makes it."""
    return resource_manager.connect(settings.settings().arm_endpoint, ACCOUNT_ID, "2024-10-01")


FILE = FileFacts("file-1", "travel.jsonl", "processed", 10, "checked", 1_700_000_000)
JOB = JobFacts(
    "ftjob-1",
    "running",
    "file-1",
    1_700_000_000,
    "ft:travel",
    1_700_000_100,
    1_000,
    3,
    ("file-9",),
    error_code="c",
    error_message="m",
)
DEPLOYMENT = DeploymentFacts("d", "ft:travel", "GlobalStandard", 10, "Succeeded", "run-1")


def _of_openai(version: str | None) -> Iterator[Call]:
    root = "/openai" if version else "/openai/v1"
    yield Call(
        AzureOpenAI.upload,
        lambda s: openai(version).upload("travel.jsonl", io.BytesIO(b"{}"), s),
        FILE,
        f"POST {root}/files",
    )
    yield Call(
        AzureOpenAI.files_named, lambda _s: openai(version).files_named("travel.jsonl"), [FILE]
    )
    yield Call(AzureOpenAI.files, lambda _s: openai(version).files(), [FILE])
    yield Call(AzureOpenAI.count_files, lambda _s: openai(version).count_files(), 1)
    yield Call(AzureOpenAI.file, lambda _s: openai(version).file("file-1"), FILE)
    yield Call(AzureOpenAI.delete_file, lambda _s: openai(version).delete_file("file-1"))
    yield Call(
        AzureOpenAI.create_job,
        lambda s: openai(version).create_job(ORDER, s),
        JOB,
        f"POST {root}/fine_tuning/jobs",
    )
    yield Call(AzureOpenAI.jobs_of_file, lambda _s: openai(version).jobs_of_file("file-1"), [JOB])
    yield Call(AzureOpenAI.count_jobs, lambda _s: openai(version).count_jobs(), 1)
    yield Call(AzureOpenAI.job, lambda _s: openai(version).job("ftjob-1"), JOB)
    yield Call(AzureOpenAI.cancel_job, lambda _s: openai(version).cancel_job("ftjob-1"))
    event = JobEvent("ev-1", 1, "info", "m", {"step": 1, "train_loss": 0.5})
    yield Call(AzureOpenAI.events, lambda _s: openai(version).events("ftjob-1", 5), [event])
    yield Call(AzureOpenAI.content, lambda _s: openai(version).content("file-9"), CONTENT)
    question = [{"role": "user", "content": "?"}]
    yield Call(
        AzureOpenAI.chat,
        lambda s: openai(version).chat("d", question, s),
        Reply("Lisbon", model="ft:travel"),
    )


def _of_arm() -> Iterator[Call]:
    quota = "OpenAI.GlobalStandard.gpt-4.1-mini"
    trained = frozenset({"Standard", "GlobalStandard"})
    yield Call(ResourceManager.location, lambda _s: arm().location(), "westus")
    yield Call(
        ResourceManager.models,
        lambda _s: arm().models(),
        [ModelFacts("gpt-4.1-mini", "2025-04-14", True, {"globalstandard": quota}, trained)],
    )
    yield Call(ResourceManager.quotas, lambda _s: arm().quotas("westus"), {quota: Quota(10, 100)})
    yield Call(ResourceManager.may_deploy, lambda _s: arm().may_deploy(), True)
    yield Call(
        ResourceManager.rai_policies,
        lambda _s: arm().rai_policies(),
        frozenset({"Microsoft.Default", "Microsoft.DefaultV2", "strict"}),
    )
    yield Call(ResourceManager.deployments, lambda _s: arm().deployments(), [DEPLOYMENT])
    yield Call(ResourceManager.deployment, lambda _s: arm().deployment("d"), DEPLOYMENT)
    yield Call(
        ResourceManager.put_deployment,
        lambda s: arm().put_deployment(PLAN, "ft:travel", "run-1", s),
        "d",
        f"PUT {ACCOUNT_ID}/deployments/d",
    )
    yield Call(ResourceManager.delete_deployment, lambda _s: arm().delete_deployment("d"))


def _of_storage() -> Iterator[Call]:
    yield Call(Container.create, lambda _s: storage.training().create())
    yield Call(Container.make_if_missing, lambda _s: storage.named("missing").make_if_missing())
    yield Call(Container.reach, lambda s: storage.training().reach(s), True)
    yield Call(Container.read, lambda _s: _content(storage.training().read("b")), BLOB)
    yield Call(
        Container.facts,
        lambda _s: _told(storage.training().facts("b")),
        ("0x8D1", len(BLOB), "block", {"report": "kept"}),
    )
    yield Call(Container.put, lambda _s: storage.training().put("b", b"x"))
    yield Call(
        Container.put_new,
        lambda _s: storage.training().put_new("b", b"x", {"report": "kept"}),
        True,
    )
    yield Call(Container.swap, lambda _s: storage.training().swap("b", b"x", "0x8D1"), True)
    yield Call(Container.replace, lambda _s: storage.training().replace("b", b"x"), True)
    yield Call(Container.try_write, lambda _s: storage.training().try_write())
    yield Call(
        Container.chunks,
        lambda _s: b"".join(storage.training().chunks("b", "0x8D1", 0, len(BLOB))),
        BLOB,
    )
    yield Call(
        Container.put_stream, lambda _s: storage.training().put_stream("b", iter([b"x", b"y"]))
    )
    yield Call(Container.delete, lambda _s: storage.training().delete("b"))
    yield Call(
        Container.list,
        lambda _s: [_told(found) for found in storage.training().list()],
        [("0x8D1", len(BLOB), "block", {"report": "kept"})],
    )
    yield Call(
        Container.page,
        lambda _s: _paged(storage.training().page("", SAME_MARKER, 5)),
        ([("0x8D1", len(BLOB), "block", {"report": "kept"})], None),
    )


def _paged(page: BlobPage) -> Any:
    found, marker = page
    return [_told(facts) for facts in found], marker


def _content(stored: storage.Stored | None) -> bytes | None:
    return stored and stored.content


def _told(facts: storage.BlobFacts | None) -> Any:
    return facts and (facts.etag, facts.bytes, facts.kind, facts.metadata)


def _token(_s: float) -> str:
    # Each scope has a token of its own, so that none is answered from what is kept.
    return managed_identity().get_token(f"https://{uuid.uuid4()}/.default").token


CALLS: dict[str, Call] = (
    {f"{call.of.__qualname__}": call for call in (*_of_openai(None), *_of_arm(), *_of_storage())}
    | {f"{call.of.__qualname__} of {OLDER}": call for call in _of_openai(OLDER)}
    | {"Named.get_token": Call(managed_identity, _token, "a-token")}
)
