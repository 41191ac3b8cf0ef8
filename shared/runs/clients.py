"""The clients for a run's account, at the addresses and in the api-versions of its plan."""

from shared.models.plan import Plan
from shared.runs.pinning import pinned
from shared.services import azure_openai, resource_manager
from shared.services.azure_openai import AzureOpenAI
from shared.services.resource_manager import ResourceManager


def for_training(plan: Plan) -> AzureOpenAI:
    """Azure OpenAI for files and jobs."""
    account = pinned(plan).account
    return azure_openai.connect(account.openai_endpoint, account.training_version)


def for_inference(plan: Plan) -> AzureOpenAI:
    """Azure OpenAI for chat completions."""
    account = pinned(plan).account
    return azure_openai.connect(account.openai_endpoint, account.inference_version)


def for_deployment(plan: Plan) -> ResourceManager:
    """Azure Resource Manager for the calls about the run's deployment."""
    account = pinned(plan).account
    return resource_manager.connect(account.arm_endpoint, account.id, account.deployment_version)


def for_account(plan: Plan) -> ResourceManager:
    """Azure Resource Manager for questions about the account itself."""
    account = pinned(plan).account
    # By the account's own api-version: not every one that a lab calls its deployment with answers
    # them.
    return resource_manager.connect(account.arm_endpoint, account.id, account.management_version)
