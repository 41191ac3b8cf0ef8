"""Azure OpenAI in our words: files, fine-tuning jobs, chat completions, on either of its two
surfaces.

No type of openai leaves this module: its answers are read field by field (`openai_facts.py`), its
exceptions become ours (`openai_answers.py`), and its client is bounded (`bounded_openai.py`).
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from shared.errors import ServiceRejected, ServiceUnavailable
from shared.services import openai_facts
from shared.services.answer_fields import Told
from shared.services.credentials import OPENAI_SCOPE, credential_for
from shared.services.openai_answers import SERVICE, each, file_or_none, known, or_none, translated
from shared.services.openai_facts import (
    ENDED,
    FileFacts,
    JobEvent,
    JobFacts,
    Reply,
    carries_methods,
    decoded_results,
)
from shared.settings import settings

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = [
    "ENDED",
    "AzureOpenAI",
    "FileFacts",
    "JobEvent",
    "JobFacts",
    "JobOrder",
    "Reply",
    "connect",
    "decoded_results",
]

log = logging.getLogger("tunedrop")
READ_TIMEOUT_S = 30.0
CONTENT_TIMEOUT_S = 120.0
PAGE = 100  # jobs and events a page, the service's own limit
CLIENTS_KEPT = 16  # a drop chooses the api-version, and each client holds connections


@dataclass(frozen=True)
class JobOrder:
    """What a job is made of; what is None is not sent."""

    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int | None
    method: str
    training_type: str | None
    hyperparameters: dict[str, int | float]


class AzureOpenAI:
    """One surface of one Azure OpenAI resource."""

    def __init__(self, client: "OpenAI", api_version: str | None) -> None:
        self._client = client
        self._api_version = api_version

    @property
    def knows_methods(self) -> bool:
        """Whether this surface takes `method` and `trainingType`."""
        return carries_methods(self._api_version)

    def upload(self, name: str, content: BinaryIO, timeout_s: float) -> FileFacts:
        """Uploads a training or validation file, once.

        Raises:
            OutcomeUnknown: nobody knows whether it arrived.
        """
        began_s = time.monotonic()
        try:
            return self._upload(name, content, timeout_s)
        except ServiceRejected as refused:
            # The token may run out on the way: a 401 says that nothing was taken, so once more is
            # safe.
            left_s = timeout_s - (time.monotonic() - began_s)
            if refused.status != 401 or left_s <= 0:
                raise
        content.seek(0)
        return self._upload(name, content, left_s)

    def _upload(self, name: str, content: BinaryIO, timeout_s: float) -> FileFacts:
        once = self._client.with_options(max_retries=0, timeout=timeout_s).files.with_raw_response
        with translated(timeout_s, creating=True):
            made = once.create(file=(name, content, "application/jsonl"), purpose="fine-tune")
            return known(openai_facts.file_of(Told.read(made.content)))

    def files_named(self, name: str) -> list[FileFacts]:
        """The service's files of this name, oldest first, those in error too; deleted ones are left
        out.
        """
        with translated():
            # Other people's files are read only so far: one that is strange must not hide the run's
            # own.
            found = [
                openai_facts.file_of(f) for f in self._files() if f.fields.get("filename") == name
            ]
        return sorted(
            (f for f in found if f.status not in {"deleted", "deleting"}),
            key=lambda f: f.created_at,
        )

    def files(self) -> list[FileFacts]:
        """All fine-tuning files of the resource."""
        with translated():
            return [file for told in self._files() if (file := file_or_none(told))]

    def count_files(self) -> int:
        """How many fine-tuning files the resource holds."""
        with translated():
            return sum(1 for _ in self._files())

    def _files(self) -> Iterator[Told]:
        """The api-version surface lists all files on one page and refuses to be asked for a second
        one.
        """
        listing = self._client.files.with_raw_response
        if self._api_version is None:
            return each(lambda more: listing.list(purpose="fine-tune", **more))
        return iter(Told.read(listing.list(purpose="fine-tune").content).listed("data"))

    def file(self, file_id: str) -> FileFacts | None:
        """A file by id; None where there is none."""
        return or_none(
            lambda: openai_facts.file_of(
                Told.read(self._client.files.with_raw_response.retrieve(file_id).content).of_id(
                    file_id
                )
            )
        )

    def delete_file(self, file_id: str) -> None:
        """Deletes a file; one that isn't there is gone already."""
        or_none(lambda: self._client.files.with_raw_response.delete(file_id))

    def create_job(self, order: JobOrder, timeout_s: float) -> JobFacts:
        """Creates the fine-tuning job: this call costs money, and is sent once.

        Raises:
            OutcomeUnknown: the job may exist; look it up by its training file.
            ServiceUnavailable: the service certainly took nothing (too many jobs, file not
                processed yet).
        """
        # `max_retries=0`: the client's own retries would repeat a paid POST, and send no
        # idempotency key (openai/_base_client.py).
        once = self._client.with_options(
            max_retries=0, timeout=timeout_s
        ).fine_tuning.jobs.with_raw_response
        with translated(timeout_s, creating=True):
            return known(
                openai_facts.job_of(Told.read(once.create(**self._job_body(order)).content))
            )

    def _job_body(self, order: JobOrder) -> dict[str, Any]:
        body: dict[str, Any] = {"model": order.model, "training_file": order.training_file}
        wished: dict[str, Any] = {
            "validation_file": order.validation_file,
            "suffix": order.suffix,
            "seed": order.seed,
        }
        if self.knows_methods:
            parameters = {"hyperparameters": order.hyperparameters} if order.hyperparameters else {}
            wished["method"] = {"type": order.method, order.method: parameters}
            wished["extra_body"] = (
                {"trainingType": order.training_type} if order.training_type else None
            )
        else:
            wished["hyperparameters"] = order.hyperparameters or None
        return body | {name: value for name, value in wished.items() if value is not None}

    def jobs_of_file(self, training_file: str) -> list[JobFacts]:
        """The jobs that train on this file, oldest first."""
        # The file belongs to one run alone, so its job is the run's.
        with translated():
            # Other people's jobs are read only so far: one that is strange must not hide the run's
            # own.
            jobs = [
                openai_facts.job_of(j)
                for j in self._jobs()
                if j.ident("training_file") == training_file
            ]
        # The list is newest first, and the time of creation is in whole seconds.
        jobs.reverse()
        return sorted(jobs, key=lambda j: j.created_at)

    def count_jobs(self) -> int:
        """How many jobs the resource remembers."""
        with translated():
            return sum(1 for _ in self._jobs())

    def _jobs(self) -> Iterator[Told]:
        listing = self._client.fine_tuning.jobs.with_raw_response
        return each(lambda more: listing.list(limit=PAGE, **more))

    def job(self, job_id: str) -> JobFacts | None:
        """A job by id; None where there is none."""
        jobs = self._client.fine_tuning.jobs.with_raw_response
        return or_none(
            lambda: openai_facts.job_of(Told.read(jobs.retrieve(job_id).content).of_id(job_id))
        )

    def cancel_job(self, job_id: str) -> None:
        """Cancels a job; one that isn't there, has ended or ends meanwhile needs no cancelling.

        Raises:
            ServiceUnavailable: it still runs, and could not be cancelled.
        """
        try:
            if self._is_over(job_id):
                return
        except ServiceUnavailable:
            # A storm over reads keeps no job running.
            log.info("job can't be looked at before its cancel", extra={"job": job_id})
        try:
            with translated():
                self._client.with_options(max_retries=0).fine_tuning.jobs.with_raw_response.cancel(
                    job_id
                )
        except (ServiceRejected, ServiceUnavailable):
            if not self._is_over(job_id):
                raise ServiceUnavailable(SERVICE, "the job could not be cancelled yet") from None

    def _is_over(self, job_id: str) -> bool:
        job = self.job(job_id)
        return job is None or job.ended

    def events(self, job_id: str, most: int) -> list[JobEvent]:
        """The latest events of a job, newest first, as the service lists them."""
        listing = self._client.fine_tuning.jobs.with_raw_response
        with translated():
            told = each(lambda more: listing.list_events(job_id, limit=min(most, PAGE), **more))
            return [openai_facts.event_of(event) for event in islice(told, most)]

    def content(self, file_id: str) -> bytes:
        """The bytes of a file, for example of a job's results: at most 64 MiB.

        Raises:
            ServiceUnavailable: it has more, or did not come in two minutes.
        """
        patient = self._client.with_options(timeout=CONTENT_TIMEOUT_S)
        with translated():
            return patient.files.content(file_id).read()

    def chat(self, deployment: str, messages: list[dict[str, str]], timeout_s: float) -> Reply:
        """One chat completion. `messages`: role and content.

        Raises:
            ServiceUnavailable: the deployment isn't ready, or the service is busy.
        """
        once = self._client.with_options(
            max_retries=0, timeout=timeout_s
        ).chat.completions.with_raw_response
        try:
            with translated(timeout_s):
                return openai_facts.reply_of(
                    Told.read(once.create(model=deployment, messages=cast("Any", messages)).content)
                )
        except ServiceRejected as refusal:
            if refusal.azure_code in {"content_filter", "contentFilter"}:
                return Reply("", blocked=True)
            if refusal.status == 404 or refusal.azure_code == "DeploymentNotReady":
                raise ServiceUnavailable(
                    SERVICE, f"the deployment does not answer yet: {refusal.azure_code}"
                ) from None
            raise


@lru_cache(maxsize=CLIENTS_KEPT)
def connect(endpoint: str, version: str | None = None) -> AzureOpenAI:
    """The resource at this endpoint, on the v1 surface, or on the api-version surface where a
    version is given.
    """
    import openai  # 0.5 s: not at import

    from shared.services.bounded_openai import BoundedClient

    wanted = settings()
    key = wanted.openai_api_key.get_secret_value() if wanted.openai_api_key else None
    endpoint = endpoint.rstrip("/")
    token = partial(_token, endpoint)
    # The client's own retries would sleep past the end of a call, and for as long as an answer
    # says.
    chosen: dict[str, Any] = {
        "timeout": READ_TIMEOUT_S,
        "max_retries": 0,
        "http_client": BoundedClient(endpoint),
    }
    if version is None:
        client: Any = openai.OpenAI(
            api_key=key or token, base_url=f"{endpoint}/openai/v1/", **chosen
        )
    else:
        identity: dict[str, Any] = {"api_key": key} if key else {"azure_ad_token_provider": token}
        client = openai.AzureOpenAI(
            azure_endpoint=endpoint, api_version=version, **chosen, **identity
        )
    client.organization = client.project = (
        None  # it takes them from the environment, and they are no business of this service's
    )
    return AzureOpenAI(client, version)


def _token(endpoint: str) -> str:
    return credential_for(endpoint).get_token(OPENAI_SCOPE).token
