"""What Azure's codes mean and what helps, one table: errors tell it, docs/errors.md lists it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """Why Azure says this, and what to do; both are whole sentences."""

    cause: str
    fix: str


_ROLE = Diagnosis(
    "The app's identity may not do this.",
    (
        "Assign it the role Cognitive Services OpenAI Contributor on the account; a new assignment "
        "needs some minutes."
    ),
)
_GONE = Diagnosis(
    "Azure doesn't take new deployments of this model any more.",
    (
        "Train on a newer base model: `az cognitiveservices account list-models` tells each one's "
        "lifecycle and dates."
    ),
)
_RETIRED = Diagnosis("The model has been retired: it answers no more.", _GONE.fix)
_FILTER = Diagnosis(
    "The content filter stopped the prompt or the answer.",
    "Word the question otherwise, or give the deployment another filter.",
)
_HARMFUL = Diagnosis(
    "The service found harmful content in the training data.",
    "Take the named kinds of content out of the training file.",
)

# By the code as Azure spells it.
# Sources: the errors of public deployments that show code and text together, the retirement and
# role pages, and the 2024-10-21 authoring description.
DIAGNOSES: dict[str, Diagnosis] = {
    "ServiceModelDeprecated": _GONE,
    "ServiceModelDeprecating": Diagnosis(
        (
            "The model is being retired: Azure takes new deployments of it only from subscriptions "
            "that have had one, or from nobody."
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
        "The subscription has no access to this model, or not on this SKU.",
        "Ask Azure for access to the model, or use a subscription that has it.",
    ),
    "DeploymentModelNotSupported": Diagnosis(
        (
            "The account doesn't offer this model for deployments: it belongs to another account, "
            "or the region doesn't have it."
        ),
        (
            "Deploy in the account that trained the model; for a base model choose one of the "
            "account's list."
        ),
    ),
    "InvalidResourceProperties": Diagnosis(
        (
            "The SKU doesn't serve this model in this region, or the content filter policy isn't "
            "the account's."
        ),
        (
            "Choose another `deployment.sku` or `deployment.rai_policy`; the message says which of "
            "them it is."
        ),
    ),
    "LinkedAuthorizationFailed": Diagnosis(
        "The app's identity lacks a right on a resource that this one leads to.",
        "Give it the right that the message names, on the scope that it names.",
    ),
    "AuthorizationFailed": _ROLE,
    "PermissionDenied": _ROLE,
    "forbidden": _ROLE,
    "unauthorized": Diagnosis(
        "The key is wrong, or the token is for another tenant or resource.",
        "Look at TUNEDROP_OPENAI_API_KEY, TUNEDROP_CREDENTIAL and TUNEDROP_OPENAI_ENDPOINT.",
    ),
    "ResourceNotFound": Diagnosis(
        "The address leads to nothing.", "Look at TUNEDROP_ACCOUNT and TUNEDROP_OPENAI_ENDPOINT."
    ),
    "quotaExceeded": Diagnosis(
        "The resource holds as many files or jobs as it may.",
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
        "Bring it back with `az storage blob set-tier --tier Hot`, which takes hours.",
    ),
    "BlobImmutableDueToPolicy": Diagnosis(
        "A policy of the container keeps its blobs from being changed.",
        "Give the container of the ledger or the reports no such policy.",
    ),
    "InvalidBlobType": Diagnosis(
        "A blob of another kind stands under that name.", "Delete it, or choose another container."
    ),
}


def of(azure_code: str) -> Diagnosis | None:
    """What is known of a code; None for one that isn't in the table."""
    return DIAGNOSES.get(azure_code)
