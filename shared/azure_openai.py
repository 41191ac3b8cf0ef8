"""Azure OpenAI in our words: files, fine-tuning jobs, chat completions, on either of its two surfaces.

No type of openai leaves this module. Creating calls are sent once (`max_retries=0`, bounded time):
the client's own retries would repeat a paid POST and send no idempotency key (openai/_base_client.py).
"""

import base64
import binascii
import json
import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from shared.credentials import OPENAI_SCOPE, credential_for, scrubbed
from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable, retry_after_s
from shared.limits import JOBS_LISTED_MAX
from shared.models.plan import Plan
from shared.pinning import carries_methods, pinned
from shared.settings import settings

if TYPE_CHECKING:
    from openai import OpenAI

log = logging.getLogger("tunedrop")
SERVICE = "Azure OpenAI"
READ_TIMEOUT_S = 30.0
CLIENTS_KEPT = 16  # a drop chooses the api-version, and each client holds connections
ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class FileFacts:
    """A file at the service. `status`: pending, running, processed, error; older ones uploaded, deleting, deleted."""

    id: str
    name: str
    status: str
    bytes: int | None
    reason: str | None = None


@dataclass(frozen=True)
class JobFacts:
    """A fine-tuning job. A status that we don't know means "still going"."""

    id: str
    status: str
    training_file: str
    created_at: int
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    trained_tokens: int | None = None
    n_epochs: int | None = None
    result_files: tuple[str, ...] = ()
    error_code: str | None = None
    error_message: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the status will not change any more."""
        return self.status in ENDED


@dataclass(frozen=True)
class JobEvent:
    """One event of a job; `metrics` holds step and losses where it is of that type."""

    id: str
    created_at: int
    level: str
    message: str
    metrics: dict[str, float]


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


@dataclass(frozen=True)
class Reply:
    """An answer. `blocked`: the content filter stopped the prompt or the answer; `model`: who the service says has answered."""

    text: str
    blocked: bool = False
    model: str | None = None


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
        """Uploads a training or validation file, once; again where the token ran out on the way: nothing was taken then.

        Raises:
            OutcomeUnknown: nobody knows whether it arrived.
        """
        began_s = time.monotonic()
        try:
            return self._upload(name, content, timeout_s)
        except ServiceRejected as refused:
            left_s = timeout_s - (time.monotonic() - began_s)
            if refused.status != 401 or left_s <= 0:
                raise
        content.seek(0)
        return self._upload(name, content, left_s)

    def _upload(self, name: str, content: BinaryIO, timeout_s: float) -> FileFacts:
        once = self._client.with_options(max_retries=0, timeout=timeout_s)
        with _translated(creating=True):
            made = once.files.create(file=(name, content, "application/jsonl"), purpose="fine-tune")
            return _known(_file(made))

    def files_named(self, name: str) -> list[FileFacts]:
        """The service's files of this name, oldest first, also those in error; deleted ones are left out."""
        with _translated():
            found = [f for f in self._files() if f.filename == name]
        return [_file(f) for f in sorted(found, key=lambda f: f.created_at) if f.status not in {"deleted", "deleting"}]

    def files(self) -> list[FileFacts]:
        """All fine-tuning files of the resource."""
        with _translated():
            return [_file(f) for f in self._files()]

    def count_files(self) -> int:
        """How many fine-tuning files the resource holds."""
        with _translated():
            return sum(1 for _ in self._files())

    def _files(self) -> Iterator[Any]:
        """The api-version surface lists all files on one page and refuses to be asked for a second one."""
        page = self._client.files.list(purpose="fine-tune")
        return iter(page) if self._api_version is None else iter(page.data)

    def file(self, file_id: str) -> FileFacts | None:
        """A file by id; None where there is none."""
        return _or_none(lambda: _file(self._client.files.retrieve(file_id)))

    def delete_file(self, file_id: str) -> None:
        """Deletes a file; one that isn't there is gone already."""
        _or_none(lambda: self._client.files.delete(file_id))

    def create_job(self, order: JobOrder, timeout_s: float) -> JobFacts:
        """Creates the fine-tuning job: this call costs money, and is sent once.

        Raises:
            OutcomeUnknown: the job may exist; look it up by its training file.
            ServiceUnavailable: the service certainly took nothing (too many jobs, file not processed yet).
        """
        once = self._client.with_options(max_retries=0, timeout=timeout_s)
        with _translated(creating=True):
            return _known(_job(once.fine_tuning.jobs.create(**self._job_body(order))))

    def _job_body(self, order: JobOrder) -> dict[str, Any]:
        body: dict[str, Any] = {"model": order.model, "training_file": order.training_file}
        wished: dict[str, Any] = {"validation_file": order.validation_file, "suffix": order.suffix, "seed": order.seed}
        if self.knows_methods:
            parameters = {"hyperparameters": order.hyperparameters} if order.hyperparameters else {}
            wished["method"] = {"type": order.method, order.method: parameters}
            wished["extra_body"] = {"trainingType": order.training_type} if order.training_type else None
        else:
            wished["hyperparameters"] = order.hyperparameters or None
        return body | {name: value for name, value in wished.items() if value is not None}

    def jobs_of_file(self, training_file: str) -> list[JobFacts]:
        """The jobs that train on this file, oldest first. The file belongs to one run alone, so its job is the run's."""
        with _translated():
            jobs = [_job(j) for j in islice(self._client.fine_tuning.jobs.list(limit=100), JOBS_LISTED_MAX)]
        # The list is newest first, and the time of creation is in whole seconds.
        return sorted((j for j in reversed(jobs) if j.training_file == training_file), key=lambda j: j.created_at)

    def count_jobs(self) -> int:
        """How many jobs the resource remembers."""
        with _translated():
            return sum(1 for _ in islice(self._client.fine_tuning.jobs.list(limit=100), JOBS_LISTED_MAX))

    def job(self, job_id: str) -> JobFacts | None:
        """A job by id; None where there is none."""
        return _or_none(lambda: _job(self._client.fine_tuning.jobs.retrieve(job_id)))

    def cancel_job(self, job_id: str) -> None:
        """Cancels a job. One that has ended, or isn't there, needs no cancelling; nor does one that ends meanwhile.

        Raises:
            ServiceUnavailable: it still runs, and could not be cancelled.
        """
        try:
            if self._is_over(job_id):
                return
        except ServiceUnavailable:  # a storm over reads keeps no job running
            log.info("job can't be looked at before its cancel", extra={"job": job_id})
        try:
            with _translated():
                self._client.with_options(max_retries=0).fine_tuning.jobs.cancel(job_id)
        except (ServiceRejected, ServiceUnavailable):
            if not self._is_over(job_id):
                raise ServiceUnavailable(SERVICE, "the job could not be cancelled yet") from None

    def _is_over(self, job_id: str) -> bool:
        job = self.job(job_id)
        return job is None or job.ended

    def events(self, job_id: str, most: int) -> list[JobEvent]:
        """The latest events of a job, newest first, as the service lists them."""
        with _translated():
            return [_event(e) for e in islice(self._client.fine_tuning.jobs.list_events(job_id, limit=min(most, 100)), most)]

    def content(self, file_id: str) -> bytes:
        """The bytes of a file, for example of a job's results."""
        with _translated():
            return self._client.files.content(file_id).read()

    def chat(self, deployment: str, messages: list[dict[str, str]], timeout_s: float) -> Reply:
        """One chat completion. `messages`: role and content.

        Raises:
            ServiceUnavailable: the deployment isn't ready, or the service is busy.
        """
        once = self._client.with_options(max_retries=0, timeout=timeout_s)
        try:
            with _translated():
                answer = once.chat.completions.create(model=deployment, messages=cast("Any", messages))
        except ServiceRejected as refusal:
            if refusal.azure_code in {"content_filter", "contentFilter"}:
                return Reply("", blocked=True)
            if refusal.status == 404 or refusal.azure_code == "DeploymentNotReady":
                raise ServiceUnavailable(SERVICE, f"the deployment does not answer yet: {refusal.azure_code}") from None
            raise
        choice = answer.choices[0] if answer.choices else None
        blocked = bool(choice and choice.finish_reason == "content_filter")
        return Reply((choice.message.content if choice else None) or "", blocked, answer.model or None)


def for_training(plan: Plan) -> AzureOpenAI:
    """The account of this plan, for files and jobs."""
    account = pinned(plan).account
    return connect(account.openai_endpoint, account.training_version)


def for_inference(plan: Plan) -> AzureOpenAI:
    """The account of this plan, for chat completions."""
    account = pinned(plan).account
    return connect(account.openai_endpoint, account.inference_version)


@lru_cache(maxsize=CLIENTS_KEPT)
def connect(endpoint: str, version: str | None = None) -> AzureOpenAI:
    """The resource at this endpoint, on the v1 surface, or on the api-version surface where a version is given."""
    import openai  # 0.5 s: not at import

    wanted = settings()
    key = wanted.openai_api_key.get_secret_value() if wanted.openai_api_key else None
    endpoint = endpoint.rstrip("/")
    token = partial(_token, endpoint)
    http = openai.DefaultHttpxClient(follow_redirects=False)  # a token must not follow a redirect
    if version is None:
        client: Any = openai.OpenAI(api_key=key or token, base_url=f"{endpoint}/openai/v1/", timeout=READ_TIMEOUT_S, http_client=http)
    else:
        identity: dict[str, Any] = {"api_key": key} if key else {"azure_ad_token_provider": token}
        client = openai.AzureOpenAI(azure_endpoint=endpoint, api_version=version, timeout=READ_TIMEOUT_S, http_client=http, **identity)
    client.organization = client.project = None  # it takes them from the environment, and they are no business of this service's
    return AzureOpenAI(client, version)


def _token(endpoint: str) -> str:
    return credential_for(endpoint).get_token(OPENAI_SCOPE).token


@contextmanager
def _translated(*, creating: bool = False) -> Generator[None]:
    """openai's exceptions as ours.

    While creating, only an answer that says no is a no; a timeout, a reset, 408, 409, 5xx or an
    unreadable answer leave the outcome unknown. 429 with an error body certainly took nothing.
    """
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise _refusal(error, creating) from None
    except (openai.APIConnectionError, openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise (OutcomeUnknown if creating else ServiceUnavailable)(SERVICE, type(error).__name__) from None
    except openai.OpenAIError as error:
        raise ServiceRejected(SERVICE, None, type(error).__name__, "the client refused its own settings") from None


def _refusal(error: Any, creating: bool) -> Exception:
    told: object = error.body
    body = cast("dict[str, Any]", told) if isinstance(told, dict) else dict[str, Any]()
    code = str(body.get("code") or "unknown")
    status = int(error.status_code)
    if status == 429 and body:
        return ServiceUnavailable(SERVICE, f"429 {code}", retry_after_s(error.response.headers.get("retry-after")))
    if status in {408, 409, 429} or status >= 500:
        return (OutcomeUnknown if creating else ServiceUnavailable)(
            SERVICE, f"{status} {code}", retry_after_s(error.response.headers.get("retry-after"))
        )
    if code == "unexpectedEntityState":
        return ServiceUnavailable(SERVICE, code)
    message = str(body.get("message") or "no message")
    return ServiceRejected(SERVICE, status, code, scrubbed(message)[:600], error.request_id)


def _or_none[T](ask: Callable[[], T]) -> T | None:
    try:
        with _translated():
            return ask()
    except ServiceRejected as refusal:
        if refusal.status == 404:
            return None
        raise


def _known[T: (FileFacts, JobFacts)](made: T) -> T:
    """A 2xx answer without an id has made something that nobody can name: look it up."""
    if not made.id:
        raise OutcomeUnknown(SERVICE, "the answer holds no id")
    return made


def _file(found: Any) -> FileFacts:
    return FileFacts(
        id=str(getattr(found, "id", "") or ""),
        name=str(getattr(found, "filename", "")),
        status=str(getattr(found, "status", "")),
        bytes=getattr(found, "bytes", None),
        reason=getattr(found, "status_details", None),
    )


def _job(found: Any) -> JobFacts:
    if not hasattr(found, "model_dump"):  # text, null or a list: the client hands it on as it came
        raise OutcomeUnknown(SERVICE, "the answer is no object")
    parameters = _parameters(found)
    error = getattr(found, "error", None)
    epochs = parameters.get("n_epochs")
    return JobFacts(
        id=str(getattr(found, "id", "") or ""),
        status=str(found.status),
        training_file=str(found.training_file),
        created_at=int(found.created_at or 0),
        fine_tuned_model=found.fine_tuned_model,
        finished_at=found.finished_at,
        trained_tokens=found.trained_tokens,
        n_epochs=epochs if isinstance(epochs, int) and epochs > 0 else None,
        result_files=tuple(found.result_files or ()),
        error_code=str(error.code) if error and getattr(error, "code", None) else None,
        error_message=str(error.message)[:600] if error and getattr(error, "message", None) else None,
    )


def _parameters(found: Any) -> dict[str, Any]:
    plain: dict[str, Any] = found.model_dump()
    method: dict[str, Any] = plain.get("method") or {}
    of_method: dict[str, Any] = method.get(str(method.get("type"))) or {}
    return plain.get("hyperparameters") or of_method.get("hyperparameters") or {}


def _event(found: Any) -> JobEvent:
    data = cast("dict[str, object]", getattr(found, "data", None) or {})
    numbers = {name: float(value) for name, value in data.items() if isinstance(value, int | float)}
    return JobEvent(str(found.id), int(found.created_at), str(found.level), str(found.message), numbers)


def decoded_results(content: bytes) -> bytes:
    """The CSV of a results file; OpenAI's own service sends it in base64. What is neither is answered as it came."""
    if b"," in content[:200]:
        return content
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return content
