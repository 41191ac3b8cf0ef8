"""job.json: what a drop may ask for. Its JSON Schema is published as docs/schemas/job.schema.json.

An unknown field is an error. What later releases will do is parsed and checked now and answered
with "not supported yet"; nothing is ever ignored in silence.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

Auto = Literal["auto"]
Method = Literal["supervised", "dpo", "reinforcement"]
TrainingType = Literal["Standard", "GlobalStandard", "Developer"]
DEPLOYMENT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9]$"
TextLine = Annotated[str, Field(min_length=1, max_length=64)]
ApiVersion = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$")]


class JobFileObject(BaseModel):
    """A part of job.json: strict, and silent about values in its errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Hyperparameters(JobFileObject):
    """Ranges: the create-job reference of OpenAI; "auto" leaves the choice to the service."""

    n_epochs: Auto | Annotated[StrictInt, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[StrictInt, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: (
        Auto | Annotated[float, Field(gt=0, le=100, strict=True, allow_inf_nan=False)]
    ) = "auto"


class DeploymentWish(JobFileObject):
    """How the fine-tuned model is deployed."""

    name: Annotated[str, Field(pattern=DEPLOYMENT_NAME)] | None = None
    sku: TextLine | None = None
    capacity: Annotated[StrictInt, Field(ge=1)] | None = None
    """Thousands of tokens a minute."""
    rai_policy: TextLine | None = None
    time_to_live_hours: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = (
        None
    )
    strategy: Literal["create", "replace"] | None = None


class Message(JobFileObject):
    """One message of the smoke test."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=20_000)]


class Expectation(JobFileObject):
    """What the answer to the smoke test must hold; without one, any answer passes."""

    contains: list[Annotated[str, Field(min_length=1, max_length=1_000)]] = []


class SmokeTest(JobFileObject):
    """A chat completion on the new deployment."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=50)] | None = None
    expect: Expectation = Expectation()


class Evaluation(JobFileObject):
    """Comparison with the base model (a later release)."""

    metric: TextLine
    threshold: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    sample: Annotated[StrictInt, Field(ge=1)] | None = None


class Budget(JobFileObject):
    """The most that the training of this run may cost."""

    usd: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class Approval(JobFileObject):
    """A person must agree before anything is bought (a later release)."""

    required: StrictBool = True
    above_usd: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] | None = None


class Notify(JobFileObject):
    """Where the end of the run is told (a later release)."""

    url: Annotated[str, Field(max_length=2_000)]


class Retention(JobFileObject):
    """How long the run's things are kept (a later release)."""

    days: Annotated[StrictInt, Field(ge=1)]


class ApiVersions(JobFileObject):
    """Api-versions of the three surfaces, for a run that must call them as written elsewhere."""

    training: ApiVersion | None = None
    deployment: ApiVersion | None = None
    inference: ApiVersion | None = None


class JobFile(JobFileObject):
    """The whole of job.json. Every field may be left out."""

    model: TextLine | None = None
    method: Method = "supervised"
    hyperparameters: Hyperparameters = Hyperparameters()
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    seed: Annotated[StrictInt, Field(ge=0, le=2_147_483_647)] | None = None
    training_type: TrainingType | None = None
    validation: Literal["expected"] | None = None
    """"expected": the run waits for validation_set.jsonl."""
    validation_split: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    deployment: DeploymentWish = DeploymentWish()
    smoke_test: SmokeTest = SmokeTest()
    evaluation: Evaluation | None = None
    budget: Budget | None = None
    approval: Approval | None = None
    notify: Notify | None = None
    retention: Retention | None = None
    retrain: StrictBool = False
    """Train although the same bytes with the same settings were trained before."""
    reuse: StrictBool = False
    """Deploy the model that a run has trained from the same bytes with the same settings; train
    where there is none.
    """
    api_versions: ApiVersions = ApiVersions()


class DeployRequest(JobFileObject):
    """Deploys the model of a run again, without training. What is left out is as that run
    had it.
    """

    deployment: DeploymentWish = DeploymentWish()
    smoke_test: SmokeTest | None = None
    budget: Budget | None = None
    again: StrictBool = False
    """Deploy once more although the same request has succeeded before."""
