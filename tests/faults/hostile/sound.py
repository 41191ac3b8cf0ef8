"""What a healthy service answers to each request of the calls in `calls.py`, byte by byte: what
every misbehaviour is a change of.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.unit.adapters.misbehaving import ACCOUNT_ID, Asked

CONTENT = b"step,train_loss\n1,0.5\n2,0.25\n"
BLOB = b"hello, world"
ETAG = '"0x8D1"'
THEN = "Wed, 21 Oct 2026 07:28:00 GMT"


@dataclass(frozen=True)
class Sound:
    """One answer: its status, its headers, its body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @property
    def told(self) -> Any:
        """The body's JSON; None where it is none."""
        return (
            json.loads(self.body)
            if self.headers.get("Content-Type") == "application/json"
            else None
        )


def sent(sound: Sound) -> bytes:
    """The answer as it goes over the wire, with the length of its body unless its headers
    say one.
    """
    headers = {"Content-Length": str(len(sound.body))} | sound.headers
    if sound.headers.get("Content-Length") == "":
        del headers["Content-Length"]
    lines = [
        f"HTTP/1.1 {sound.status} As told",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + sound.body


def of(body: Any, status: int = 200) -> Sound:
    """An answer in JSON."""
    return Sound(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


FILE = {
    "id": "file-1",
    "object": "file",
    "filename": "travel.jsonl",
    "status": "processed",
    "status_details": "checked",
    "bytes": 10,
    "purpose": "fine-tune",
    "created_at": 1_700_000_000,
}
JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "status": "running",
    "model": "gpt-4.1-mini-2025-04-14",
    "training_file": "file-1",
    "created_at": 1_700_000_000,
    "finished_at": 1_700_000_100,
    "fine_tuned_model": "ft:travel",
    "trained_tokens": 1_000,
    "hyperparameters": {"n_epochs": 3},
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    "result_files": ["file-9"],
    "error": {"code": "c", "message": "m"},
}
EVENT = {
    "id": "ev-1",
    "created_at": 1,
    "level": "info",
    "message": "m",
    "type": "metrics",
    "data": {"step": 1, "train_loss": 0.5},
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "ft:travel",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Lisbon"}}
    ],
}
DEPLOYMENT = {
    "id": f"{ACCOUNT_ID}/deployments/d",
    "name": "d",
    "sku": {"name": "GlobalStandard", "capacity": 10},
    "properties": {
        "model": {"format": "OpenAI", "name": "ft:travel", "version": "1"},
        "provisioningState": "Succeeded",
    },
    "tags": {"tunedrop-run": "run-1"},
}
MODEL = {
    "name": "gpt-4.1-mini",
    "version": "2025-04-14",
    "skus": [{"name": "GlobalStandard", "usageName": "OpenAI.GlobalStandard.gpt-4.1-mini"}],
    "capabilities": {"fineTune": "true", "globalFineTune": "true"},
}
USAGE = {"name": {"value": "OpenAI.GlobalStandard.gpt-4.1-mini"}, "currentValue": 10, "limit": 100}


def listed(*bodies: Any) -> Sound:
    """A page of Azure OpenAI."""
    return of({"object": "list", "data": list(bodies), "has_more": False})


def valued(*bodies: Any) -> Sound:
    """A page of Resource Manager."""
    return of({"value": list(bodies), "nextLink": None})


BLOBS = (
    '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" '
    'ContainerName="training"><Blobs><Blob><Name>b</Name>'
    f"<Properties><Last-Modified>{THEN}</Last-Modified><Etag>0x8D1</Etag><Content-Length>12</Content-Length><BlobType>BlockBlob</BlobType>"
    "<AccessTier>Hot</AccessTier></Properties><Metadata><report>kept</report></Metadata></Blob></Blobs><NextMarker/></EnumerationResults>"
).encode()
STORED = {"ETag": ETAG, "Last-Modified": THEN, "Date": THEN, "x-ms-version": "2025-01-05"}
FACTS = STORED | {
    "x-ms-blob-type": "BlockBlob",
    "Content-Type": "application/octet-stream",
    "x-ms-meta-report": "kept",
}
READ = FACTS | {"Content-Range": f"bytes 0-{len(BLOB) - 1}/{len(BLOB)}"}

_OPENAI = r"/openai(?:/v1)?"
_ARM = re.escape(ACCOUNT_ID)
_ARM_ALL = r"/subscriptions/s"
ANSWERS: tuple[tuple[str, str, Sound], ...] = (
    ("POST", rf"{_OPENAI}/files", of(FILE)),
    ("GET", rf"{_OPENAI}/files", listed(FILE)),
    (
        "GET",
        rf"{_OPENAI}/files/[^/]+/content",
        Sound(200, {"Content-Type": "application/octet-stream"}, CONTENT),
    ),
    ("GET", rf"{_OPENAI}/files/[^/]+", of(FILE)),
    ("DELETE", rf"{_OPENAI}/files/[^/]+", of({"id": "file-1", "object": "file", "deleted": True})),
    ("POST", rf"{_OPENAI}/fine_tuning/jobs", of(JOB)),
    ("GET", rf"{_OPENAI}/fine_tuning/jobs", listed(JOB)),
    ("GET", rf"{_OPENAI}/fine_tuning/jobs/[^/]+/events", listed(EVENT)),
    ("GET", rf"{_OPENAI}/fine_tuning/jobs/[^/]+", of(JOB)),
    ("POST", rf"{_OPENAI}/fine_tuning/jobs/[^/]+/cancel", of(JOB | {"status": "cancelled"})),
    ("POST", r"/openai(?:/v1|/deployments/[^/]+)/chat/completions", of(CHAT)),
    ("GET", _ARM, of({"name": "lab", "location": "westus"})),
    ("GET", rf"{_ARM}/models", valued(MODEL)),
    (
        "GET",
        rf"{_ARM_ALL}/providers/Microsoft.CognitiveServices/locations/westus/usages",
        valued(USAGE),
    ),
    (
        "GET",
        rf"{_ARM}/providers/Microsoft.Authorization/permissions",
        valued({"actions": ["*"], "notActions": ["Other/action"]}),
    ),
    ("GET", rf"{_ARM}/raiPolicies", valued({"name": "strict"})),
    ("GET", rf"{_ARM}/deployments", valued(DEPLOYMENT)),
    ("GET", rf"{_ARM}/deployments/[^/]+", of(DEPLOYMENT)),
    ("PUT", rf"{_ARM}/deployments/[^/]+", of(DEPLOYMENT, 201)),
    ("DELETE", rf"{_ARM}/deployments/[^/]+", Sound(202)),
    ("GET", r"/a/missing\?restype=container", Sound(404, {"x-ms-error-code": "ContainerNotFound"})),
    ("PUT", r"/a/[^/]+\?restype=container", Sound(201, STORED)),
    (
        "GET",
        r"/a/[^/]+\?.*comp=list",
        Sound(200, STORED | {"Content-Type": "application/xml"}, BLOBS),
    ),
    ("GET", r"/a/[^/]+\?restype=container", Sound(200, STORED)),
    ("GET", r"/a/[^/]+/[^/]+", Sound(206, READ, BLOB)),
    ("HEAD", r"/a/[^/]+/[^/]+", Sound(200, FACTS | {"Content-Length": str(len(BLOB))})),
    ("PUT", r"/a/[^/]+/[^/]+", Sound(201, STORED)),
    ("DELETE", r"/a/[^/]+/[^/]+", Sound(202, STORED)),
    (
        "GET",
        r"/msi/token",
        of(
            {
                "access_token": "a-token",
                "expires_on": "4102444800",
                "resource": "r",
                "token_type": "Bearer",
            }
        ),
    ),
)


def answer_to(asked: Asked) -> Sound:
    """What a healthy service answers to this."""
    path = asked.target.partition("?")[0]
    for method, pattern, sound in ANSWERS:
        subject = asked.target if r"\?" in pattern else path
        if asked.method == method and re.fullmatch(
            pattern + (".*" if r"\?" in pattern else ""), subject
        ):
            return sound
    return of(
        {"error": {"code": "NoSuchRequest", "message": f"{asked.method} {asked.target}"}}, 501
    )
