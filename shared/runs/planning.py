"""From job.json and the settings to a plan: parse, refuse what isn't supported yet, fill in, clamp.
Pure.
"""

import re

from pydantic import ValidationError

from shared import json_input
from shared.errors import PlanRejected
from shared.json_input import NotJson, wrong_fields
from shared.models.drop import Drop
from shared.models.job_file import DeployRequest, JobFile, Message, SmokeTest
from shared.models.plan import ApiVersions, DeploymentPlan, Pin, Plan, SmokeTestPlan, Training
from shared.runs.pinning import account_of, pinned, pins
from shared.runs.worst_case import known_hosting, known_prices
from shared.services.openai_facts import carries_methods
from shared.settings import Settings

JOB_FILE_MAX_BYTES = 256 * 1024
# What separates a base model from the rest in the name of a fine-tuned one.
FINE_TUNED_MODEL = ".ft-"
LIKE_A_RUN_ID = re.compile(r".+-[0-9a-f]{8}")
# What the smoke test asks where neither job.json nor the data has a question: any words are an
# answer to it.
GREETING = (Message(role="user", content="Hello! What can you help me with?"),)


def parsed(content: bytes) -> JobFile:
    """job.json as a model.

    Raises:
        PlanRejected: it can't be read; the message names the field, never its value.
    """
    small_enough(len(content))
    try:
        decoded = json_input.decoded(content)
    except NotJson as error:
        fix = "Check it with a JSON linter; it must be UTF-8."
        raise PlanRejected("TD-PLAN-001", f"job.json is not valid JSON: {error}.", fix) from None
    return checked(decoded)


def small_enough(size: int) -> None:
    """Refuses a job.json of so many bytes, before it is read.

    Raises:
        PlanRejected: it has too many.
    """
    if size > JOB_FILE_MAX_BYTES:
        raise PlanRejected(
            "TD-PLAN-001",
            f"job.json is larger than {JOB_FILE_MAX_BYTES // 1024} KB.",
            "It should contain settings, not data.",
        )


def checked(decoded: object) -> JobFile:
    """Decoded job settings as a model.

    Raises:
        PlanRejected: a field is unknown or wrong; every one is named, an unknown one with the
            nearest known.
    """
    try:
        return JobFile.model_validate(decoded)
    except ValidationError as error:
        wrong = wrong_fields(error, JobFile)
    raise PlanRejected(
        "TD-PLAN-002",
        f"job.json: {wrong}.",
        "Correct the fields named here; docs/settings.md lists the fields of job.json.",
    )


def planned(
    drop: Drop,
    job: JobFile,
    settings: Settings,
    training: Pin,
    validation: Pin | None,
    job_file: Pin | None,
) -> Plan:
    """The plan of this drop.

    Raises:
        PlanRejected: something is asked for that isn't supported or allowed.
    """
    supported(job)
    _allowed(job, settings)
    _known(
        job.model or settings.model,
        "`model` in job.json" if job.model else "the setting TUNEDROP_MODEL",
    )
    _base_model(job.model or settings.model, settings)
    notes: list[str] = []
    versions = ApiVersions(**dict(job.api_versions))
    chosen = _training(job, settings, versions)
    deployment = _deployment(drop, job, settings, notes)
    plan = Plan(
        training_file=training,
        validation_file=validation,
        job_file=job_file,
        training=chosen,
        suffix=job.suffix or drop.run_id,
        deployment=deployment,
        smoke_test=SmokeTestPlan(
            messages=tuple(job.smoke_test.messages or GREETING),
            contains=tuple(job.smoke_test.expect.contains),
        ),
        budget_usd=_clamped(
            "budget.usd",
            job.budget.usd if job.budget else None,
            settings.budget_usd,
            settings.budget_usd,
            notes,
        ),
        retrain=job.retrain,
        reuse=job.reuse,
        api_versions=versions,
        clamped=tuple(notes),
        pinned=pins(settings, versions, chosen, deployment),
    )
    known_prices(plan, pinned(plan).prices)
    return plan


def _allowed(job: JobFile, settings: Settings) -> None:
    """Refuses what the owner of this app does not let a drop ask for."""
    model, sku, name = (
        job.model or settings.model,
        job.deployment.sku or settings.deployment_sku,
        job.deployment.name,
    )
    if settings.allowed_models and model not in settings.allowed_models:
        raise PlanRejected(
            "TD-PLAN-004",
            "The base model of the drop is not in the list of allowed models.",
            (
                f"Name one of: {', '.join(settings.allowed_models)}; or ask the "
                "owner of the app to extend TUNEDROP_ALLOWED_MODELS."
            ),
        )
    if job.retrain and job.reuse:
        raise PlanRejected(
            "TD-PLAN-010",
            "job.json asks for both: to train again, and to deploy a trained model again.",
            "Remove `retrain` or `reuse`.",
        )
    _deployable(sku, name, settings)


def _deployable(sku: str, name: str | None, settings: Settings) -> None:
    """Refuses a deployment that the owner does not allow."""
    if settings.allowed_skus and sku.lower() not in {
        allowed.lower() for allowed in settings.allowed_skus
    }:
        raise PlanRejected(
            "TD-PLAN-006",
            "The SKU of the deployment is not in the list of allowed SKUs.",
            (
                f"Set deployment.sku to one of: {', '.join(settings.allowed_skus)}; or ask the "
                "owner of the app to extend TUNEDROP_ALLOWED_SKUS."
            ),
        )
    if name and LIKE_A_RUN_ID.fullmatch(name.lower()):
        raise PlanRejected(
            "TD-PLAN-007",
            (
                "A deployment name that ends with a hyphen and eight hexadecimal digits is "
                "reserved for the run with that id."
            ),
            (
                "Choose another deployment.name in job.json, or remove it: then the run's own "
                "id is used."
            ),
        )


def _base_model(model: str, settings: Settings) -> None:
    """Refuses to train on from a fine-tuned model, unless the owner lets a drop."""
    # Whose model it is, the gate asks the ledger.
    if FINE_TUNED_MODEL in model.lower() and settings.continue_from == "none":
        raise PlanRejected(
            "TD-PLAN-008",
            "This app does not continue from a fine-tuned model.",
            (
                "Name a base model, or ask the owner of the app to set TUNEDROP_CONTINUE_FROM to "
                "`own`."
            ),
        )


def _canonical(model: str) -> str:
    """A base model by its full name; a fine-tuned one as it is written."""
    from tunedrop_check.models import base_models  # msgspec: not at import

    # So the same model in another spelling is the same content.
    return model if FINE_TUNED_MODEL in model.lower() else base_models.base_model(model).name


def _training(job: JobFile, settings: Settings, versions: ApiVersions) -> Training:
    """What changes the model."""
    # A training type that the surface can't carry is not sent, and refused where the drop wishes
    # for one.
    version = account_of(settings, versions).training_version
    if job.training_type and not carries_methods(version):
        raise PlanRejected(
            "TD-PLAN-009",
            f"The api-version {version} of the training calls has no field for `training_type`.",
            (
                "Remove training_type (then the job is trained and priced as Standard), or "
                "remove api_versions.training."
            ),
        )
    return Training(
        model=_canonical(job.model or settings.model),
        method=job.method,
        seed=job.seed,
        training_type=job.training_type
        or (settings.training_type if carries_methods(version) else None),
        **{
            name: value
            for name, value in job.hyperparameters.model_dump().items()
            if value != "auto"
        },
    )


def _known(model: str, where: str) -> None:
    """Refuses a base model of which neither encoding nor limit is known: its data could not be
    checked.
    """
    # The name itself is not repeated.
    from tunedrop_check.models import base_models  # msgspec: not at import

    fix = f"Correct {where}; docs/data-formats.md lists the models."
    if not (model.isascii() and model.isprintable()):
        raise PlanRejected(
            "TD-PLAN-005",
            "The base model is not known: its name has characters that no model's name has.",
            fix,
        )
    try:
        base_models.base_model(model)
    except base_models.UnknownModel as unknown:
        raise PlanRejected("TD-PLAN-005", str(unknown), fix) from None


def _deployment(drop: Drop, job: JobFile, settings: Settings, notes: list[str]) -> DeploymentPlan:
    wish = job.deployment
    capacity = _clamped(
        "deployment.capacity",
        wish.capacity,
        settings.deployment_capacity,
        settings.max_capacity,
        notes,
    )
    return DeploymentPlan(
        name=wish.name or drop.run_id,
        sku=wish.sku or settings.deployment_sku,
        capacity=int(capacity),
        rai_policy=wish.rai_policy,
    )


def _clamped(
    field: str, wanted: float | None, default: float, most: float, notes: list[str]
) -> float:
    if wanted is not None and wanted > most:
        notes.append(
            f"{field} was lowered from {wanted:g} to {most:g}, the most that this app allows."
        )
    return min(default if wanted is None else wanted, most)


def supported(job: JobFile) -> None:
    """Refuses what this release can't do yet.

    Raises:
        PlanRejected: TD-PLAN-003, with all the fields that ask for it.
    """
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
            "TD-PLAN-003",
            f"job.json has fields that are not supported yet: {', '.join(fields)}.",
            "Remove these fields for now.",
        )


def redeployed(run_id: str, source: Plan, wish: DeployRequest, settings: Settings) -> Plan:
    """The plan of the run `run_id`, which deploys the model that another run has trained by the
    plan `source`, on the same account.

    Raises:
        PlanRejected: the deployment is none that this app allows, or has no price.
    """
    notes: list[str] = []
    wanted = wish.deployment
    supported(JobFile(deployment=wanted))
    sku = wanted.sku or source.deployment.sku
    _deployable(sku, wanted.name, settings)
    capacity = _clamped(
        "deployment.capacity",
        wanted.capacity,
        source.deployment.capacity,
        settings.max_capacity,
        notes,
    )
    deployment = DeploymentPlan(
        name=wanted.name or run_id,
        sku=sku,
        capacity=int(capacity),
        rai_policy=wanted.rai_policy or source.deployment.rai_policy,
    )
    now = pins(settings, source.api_versions, source.training, deployment)
    plan = source.model_copy(
        update={
            "deployment": deployment,
            "smoke_test": _asked(source.smoke_test, wish.smoke_test),
            "budget_usd": _clamped(
                "budget.usd",
                wish.budget.usd if wish.budget else None,
                source.budget_usd,
                settings.budget_usd,
                notes,
            ),
            "clamped": tuple(notes),
            "pinned": now.model_copy(update={"account": pinned(source).account}),
        }
    )
    known_hosting(plan, pinned(plan).prices)
    return plan


def _asked(before: SmokeTestPlan, wish: SmokeTest | None) -> SmokeTestPlan:
    """The smoke test of before, but for what is wished for."""
    if wish is None:
        return before
    contains = tuple(wish.expect.contains)
    if wish.messages is None:
        return before.model_copy(update={"contains": contains})
    # Another question has no expected answer of the data.
    return SmokeTestPlan(messages=tuple(wish.messages), contains=contains)
