"""What a report says in words: its headline, the names of the steps, and where to read on. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from shared.report.model import Outcome

_ANCHOR = re.compile(r"(?:docs/)?(?P<page>[a-z0-9-]+\.md)#(?P<heading>[a-z0-9-]+)")

HEADLINES: Final[Mapping[Outcome, str]] = {
    "succeeded": "The model is trained, deployed and has answered.",
    "rejected": "Nothing was bought: the drop was rejected.",
    "not_better": "The model was trained, but is not better than what is live.",
    "failed": "The run failed; what it had made was taken back.",
    "cancelled": "The run was cancelled; what it had made was taken back.",
    "expired": "The run took longer than it may; what it had made was taken back.",
    "superseded": "The drop was replaced while the run read it.",
    "duplicate": (
        "Nothing was bought: the same data was trained with the same training settings before."
    ),
}
SMOKE_HEADLINES: Final[Mapping[str, str]] = {
    "failed": (
        "The model is trained, but its answer was not the wanted one; the deployment was taken "
        "back."
    ),
    "blocked": (
        "The model is trained, but the content filter stopped its first answer; the deployment was "
        "taken back."
    ),
    "not_answered": "The model is trained, but its deployment did not answer; it was taken back.",
}
REUSED: Final = (
    "A model that was trained before is deployed again and has answered; nothing was paid for "
    "training."
)
TAKEN_BACK: Final = " taken back"
LEFT_BEHIND: Final = "; not all that the run made could be taken back."
SMOKE_VERDICTS: Final[Mapping[str, str]] = {
    "passed": "Passed",
    "failed": "Not the wanted answer",
    "blocked": "Blocked by the content filter",
    "not_answered": "Not answered",
}
STEPS: Final[Mapping[str, str]] = {
    "claimed": "Heard of the drop",
    "settle": "Waited until the drop was whole",
    "plan": "Read the settings",
    "scan": "Read and checked the data",
    "gate": "Checked account, limits and budget",
    "upload": "Uploaded the files",
    "train": "Trained the model",
    "deploy": "Deployed the model",
    "smoke_test": "Asked the model",
    "clean_up": "Cleaned up",
    "report": "Wrote this report",
    "ended": "Ended",
}
SETTINGS: Final[Mapping[str, str]] = {
    "batch_size": "Batch size",
    "learning_rate_multiplier": "Learning rate, factor",
}
# What to do, where the sentence for other places would send the reader of the report to the report.
IN_A_REPORT: Final[Mapping[str, str]] = {
    "TD-DROP-006": (
        "Correct the errors that this report lists, then drop the files again. `tunedrop check` "
        "finds the same on your machine."
    ),
    "TD-PROOF-001": (
        "Compare question, answer and what was wanted; correct `smoke_test.expect` in job.json, or "
        "train on better examples."
    ),
}


def headline(
    outcome: Outcome, smoke_verdict: str | None, *, left_behind: bool, reuse: bool = False
) -> str:
    """The verdict in one sentence; of a failed smoke test in its own words."""
    if reuse and outcome == "succeeded":
        return REUSED
    told = (
        SMOKE_HEADLINES.get(smoke_verdict or "", HEADLINES[outcome])
        if outcome == "failed"
        else HEADLINES[outcome]
    )
    # It never says that all was taken back where it was not.
    if not left_behind or TAKEN_BACK not in told:
        return told
    return f"{told.partition(';')[0]}{LEFT_BEHIND}"


def step(name: str) -> str:
    """What was done in a step; a step that isn't known by its own name."""
    return STEPS.get(name, name)


def setting(name: str) -> str:
    """A hyperparameter as people call it; one that isn't known by its own name."""
    return SETTINGS.get(name, name)


def reading(anchor: str) -> str:
    """Where the documentation tells more: the page and the heading of an anchor."""
    # In words that hold wherever the report lies.
    found = _ANCHOR.fullmatch(anchor)
    return f"page {found['page']}, heading {found['heading'].upper()}" if found else anchor
