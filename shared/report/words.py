"""What a report says in words: its headline, the names of the steps, and where to read on. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from shared.report.model import Outcome

_ANCHOR = re.compile(r"(?:docs/)?(?P<page>[a-z0-9-]+\.md)#(?P<heading>[a-z0-9-]+)")

HEADLINES: Final[Mapping[Outcome, str]] = {
    "succeeded": "The model is trained, deployed and has answered.",
    "rejected": "Nothing was bought: the drop was rejected.",
    "not_better": "The model was trained, but is not better than the one in use.",
    "failed": "The run failed; everything that it had created was cleaned up.",
    "cancelled": "The run was cancelled; everything that it had created was cleaned up.",
    "expired": "The run took too long; everything that it had created was cleaned up.",
    "superseded": "The drop was replaced while the run read it.",
    "duplicate": (
        "Nothing was bought: the same data was trained with the same training settings before."
    ),
}
SMOKE_HEADLINES: Final[Mapping[str, str]] = {
    "failed": (
        "The model is trained, but did not give the expected answer; the deployment was cleaned up."
    ),
    "blocked": (
        "The model is trained, but the content filter stopped its first answer; the deployment "
        "was cleaned up."
    ),
    "not_answered": "The model is trained, but its deployment did not answer; it was cleaned up.",
}
REUSED: Final = (
    "A model that was trained before is deployed again and has answered; nothing was paid for "
    "training."
)
TAKEN_BACK: Final = " cleaned up"
LEFT_BEHIND: Final = "; not everything that the run created could be cleaned up."
SMOKE_VERDICTS: Final[Mapping[str, str]] = {
    "passed": "Passed",
    "failed": "Not the expected answer",
    "blocked": "Blocked by the content filter",
    "not_answered": "Not answered",
}
STEPS: Final[Mapping[str, str]] = {
    "claimed": "Noticed the drop",
    "settle": "Waited until the drop was complete",
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
        "Correct the errors that this report lists, then drop the files again. `tunedrop "
        "check` finds the same errors on your machine."
    ),
    "TD-PROOF-001": (
        "Compare question, answer and expected text; correct `smoke_test.expect` in job.json, "
        "or train on better examples."
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
