"""From job.json and the settings to a plan: parse, refuse what isn't supported yet, fill in, clamp. Pure."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from shared.errors import PlanRejected
from shared.models.drop import Drop
from shared.models.job_file import JobFile, Message, Part
from shared.models.plan import ApiVersions, DeploymentPlan, Pin, Plan, SmokeTestPlan, Training
from shared.settings import Settings

JOB_FILE_MAX_BYTES = 256 * 1024
LAB_MESSAGES = (  # the lab's own proof, SEED.md: it fits any model that was tuned on chat
    Message(role="system", content="You are a helpful assistant."),
    Message(role="user", content="Does Azure OpenAI support customer managed keys?"),
    Message(role="assistant", content="Yes, customer managed keys are supported by Azure OpenAI."),
    Message(role="user", content="Do other Azure AI services support this too?"),
)


def parsed(content: bytes) -> JobFile:
    """job.json as a model.

    Raises:
        PlanRejected: it can't be read; the message names the field, never its value.
    """
    if len(content) > JOB_FILE_MAX_BYTES:
        raise PlanRejected("TD-PLAN-001", f"job.json is larger than {JOB_FILE_MAX_BYTES // 1024} KB.", "Keep settings in it, not data.")
    try:
        decoded: Any = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PlanRejected(
            "TD-PLAN-001", f"job.json is not valid JSON{_place(error)}.", "Check it with a JSON linter; it must be UTF-8."
        ) from None
    return checked(decoded)


def checked(decoded: object) -> JobFile:
    """Decoded job settings as a model.

    Raises:
        PlanRejected: a field is unknown or wrong; every one is named, an unknown one with the nearest known.
    """
    try:
        return JobFile.model_validate(decoded)
    except ValidationError as error:
        wrong = "; ".join(_sentence(e) for e in error.errors(include_input=False, include_url=False)[:10])
    raise PlanRejected(
        "TD-PLAN-002", f"job.json: {wrong}.", "Correct the fields named here; docs/settings.md tells what job.json may hold."
    )


def planned(drop: Drop, job: JobFile, settings: Settings, training: Pin, validation: Pin | None, job_file: Pin | None) -> Plan:
    """The plan of this drop.

    Raises:
        PlanRejected: something is asked for that isn't supported or allowed.
    """
    _supported(job)
    if settings.allowed_models and (job.model or settings.model) not in settings.allowed_models:
        raise PlanRejected(
            "TD-PLAN-004",
            "The base model that the drop names is not among the allowed ones.",
            f"Name one of: {', '.join(settings.allowed_models)}; or have TUNEDROP_ALLOWED_MODELS extended.",
        )
    notes: list[str] = []
    lab = job.api_versions
    return Plan(
        training_file=training,
        validation_file=validation,
        job_file=job_file,
        training=Training(
            model=job.model or settings.model,
            method=job.method,
            seed=job.seed,
            training_type=job.training_type or settings.training_type,
            **{name: value for name, value in job.hyperparameters.model_dump().items() if value != "auto"},
        ),
        suffix=job.suffix or drop.run_id,
        deployment=_deployment(drop, job, settings, notes),
        smoke_test=SmokeTestPlan(messages=tuple(job.smoke_test.messages or LAB_MESSAGES), contains=tuple(job.smoke_test.expect.contains)),
        budget_usd=_clamped("budget.usd", job.budget.usd if job.budget else None, settings.budget_usd, settings.budget_usd, notes),
        retrain=job.retrain,
        api_versions=ApiVersions(training=lab.training, deployment=lab.deployment, inference=lab.inference),
        clamped=tuple(notes),
    )


def _deployment(drop: Drop, job: JobFile, settings: Settings, notes: list[str]) -> DeploymentPlan:
    wish = job.deployment
    capacity = _clamped("deployment.capacity", wish.capacity, settings.deployment_capacity, settings.max_capacity, notes)
    return DeploymentPlan(
        name=wish.name or drop.run_id, sku=wish.sku or settings.deployment_sku, capacity=int(capacity), rai_policy=wish.rai_policy
    )


def _clamped(field: str, wanted: float | None, default: float, most: float, notes: list[str]) -> float:
    if wanted is not None and wanted > most:
        notes.append(f"{field} was lowered from {wanted:g} to {most:g}, the most that this app allows.")
    return min(default if wanted is None else wanted, most)


def _supported(job: JobFile) -> None:
    later = {
        "method": job.method != "supervised",
        "validation_split": job.validation_split is not None,
        "deployment.time_to_live_hours": job.deployment.time_to_live_hours is not None,
        "deployment.strategy": job.deployment.strategy not in {None, "create"},
        "evaluation": job.evaluation is not None,
        "approval": job.approval is not None,
        "notify": job.notify is not None,
        "retention": job.retention is not None,
    }
    if fields := [name for name, asked in later.items() if asked]:
        raise PlanRejected(
            "TD-PLAN-003", f"job.json asks for what is not supported yet: {', '.join(fields)}.", "Leave these fields out for now."
        )


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if isinstance(part, int) or part in _known_fields())
    if error["type"] == "extra_forbidden":
        unknown = str(error["loc"][-1])
        near = difflib.get_close_matches(unknown[:64], sorted(_known_fields()), n=1)
        return f"an unknown field{f' in {place}' if place else ''}" + (f" (did you mean `{near[0]}`?)" if near else "")
    return f"`{place or 'the whole'}`: {error['msg']}"


def _known_fields(part: type[Part] = JobFile) -> frozenset[str]:
    return frozenset(_fields(part))


def _fields(part: Any) -> Iterator[str]:
    for name, field in part.model_fields.items():
        yield name
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, Part):
                yield from _fields(inner)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        msg = "a field stands twice"
        raise ValueError(msg)
    return dict(pairs)


def _no_constant(_name: str) -> Any:
    msg = "NaN and Infinity are not JSON"
    raise ValueError(msg)


def _place(error: Exception) -> str:
    return f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
