"""What Azure's codes mean and what helps, one table: errors tell it, docs/errors.md lists it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """Why Azure says this, and what to do; both are whole sentences."""

    cause: str
    fix: str


_ROLE = Diagnosis(
    "The app's identity has no right to do this.",
    (
        "Assign it the role Cognitive Services OpenAI Contributor on the account; a new assignment "
        "needs some minutes."
    ),
)
_GONE = Diagnosis(
    "Azure no longer accepts new deployments of this model.",
    (
        "Train on a newer base model: `az cognitiveservices account list-models` shows the "
        "lifecycle and dates of each model."
    ),
)
_RETIRED = Diagnosis("The model has been retired and no longer answers.", _GONE.fix)
_FILTER = Diagnosis(
    "The content filter stopped the prompt or the answer.",
    "Change the words of the question, or give the deployment another filter.",
)
_HARMFUL = Diagnosis(
    "The service found harmful content in the training data.",
    "Remove the named kinds of content from the training file.",
)

# By the code as Azure spells it.
# Sources: the errors of public deployments that show code and text together, the retirement and
# role pages, and the 2024-10-21 authoring description.
DIAGNOSES: dict[str, Diagnosis] = {
    "ServiceModelDeprecated": _GONE,
    "ServiceModelDeprecating": Diagnosis(
        (
            "The model is being retired: Azure accepts new deployments of it only from "
            "subscriptions that have had one, or from nobody."
        ),
        _GONE.fix,
    ),
    "ModelDeprecated": _RETIRED,
    "ModelRetired": _RETIRED,
    "InsufficientQuota": Diagnosis(
        "The quota of this model and SKU was used up between the gate and the deployment.",
        (
            "Lower `deployment.capacity`, delete a deployment that uses this quota, or ask for "
            "more quota."
        ),
    ),
    "SpecialFeatureOrQuotaIdRequired": Diagnosis(
        "The subscription has no access to this model, or not with this SKU.",
        "Ask Azure for access to the model, or use a subscription that has it.",
    ),
    "DeploymentModelNotSupported": Diagnosis(
        (
            "The account doesn't offer this model for deployments: it belongs to another account, "
            "or the region doesn't have it."
        ),
        (
            "Deploy in the account that trained the model; for a base model, choose one that "
            "the account offers."
        ),
    ),
    "InvalidResourceProperties": Diagnosis(
        (
            "The SKU doesn't serve this model in this region, or the account doesn't have the "
            "content filter policy."
        ),
        (
            "Choose another `deployment.sku` or `deployment.rai_policy`; the message says which of "
            "them it is."
        ),
    ),
    "LinkedAuthorizationFailed": Diagnosis(
        "The app's identity has no right on another resource that this one uses.",
        "Give it the right that the message names, on the scope that it names.",
    ),
    "AuthorizationFailed": _ROLE,
    "PermissionDenied": _ROLE,
    "forbidden": _ROLE,
    "unauthorized": Diagnosis(
        "The key is wrong, or the token is for another tenant or resource.",
        "Check TUNEDROP_OPENAI_API_KEY, TUNEDROP_CREDENTIAL and TUNEDROP_OPENAI_ENDPOINT.",
    ),
    "ResourceNotFound": Diagnosis(
        "Nothing exists at this address.", "Check TUNEDROP_ACCOUNT and TUNEDROP_OPENAI_ENDPOINT."
    ),
    "quotaExceeded": Diagnosis(
        "The resource already has as many files or jobs as it may.",
        "Delete files and jobs that are no longer needed.",
    ),
    "content_filter": _FILTER,
    "contentFilter": _FILTER,
    "trainingDataFailedRai": _HARMFUL,
    "jsonlValidationFailed": Diagnosis(
        "The service found a line that it can't train on.",
        "Run `tunedrop check` on the file; if it finds nothing, report it with the message.",
    ),
    "BlobArchived": Diagnosis(
        "The blob is archived, so its bytes can't be read.",
        (
            "Move it out of the archive tier with `az storage blob set-tier --tier Hot`, which "
            "takes hours."
        ),
    ),
    "BlobImmutableDueToPolicy": Diagnosis(
        "A policy of the container forbids changes of its blobs.",
        "Use a container without such a policy for the ledger and the reports.",
    ),
    "InvalidBlobType": Diagnosis(
        "A blob of another kind has that name.", "Delete it, or choose another container."
    ),
}


def of(azure_code: str) -> Diagnosis | None:
    """What is known of a code; None for one that isn't in the table."""
    return DIAGNOSES.get(azure_code)
