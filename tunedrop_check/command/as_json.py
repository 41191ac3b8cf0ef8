"""What a check says of one input, as the JSON document has it; everything else that is shown is
made from this.
"""

from typing import Any

import msgspec

from ..counting import pricing
from ..formats import recognition
from ..scan.bins import bins_of
from ..scan.file_result import FileScan
from ..scan.statistics import Histogram
from .checking import Checked, Placed

# So many fit on a terminal below each other.
BINS = 12


def document(checked: Checked, prices: pricing.PriceTable) -> dict[str, Any]:
    """Findings and figures of one input; figures that could not be taken are None."""
    found = checked.scan
    return {
        "path": checked.input.path,
        "role": checked.input.role,
        "model": checked.model.name,
        "encoding": checked.model.encoding,
        "format": found.format if found else recognition.UNKNOWN,
        "bytes": found.bytes if found else None,
        "parts": len(checked.input.parts) or 1,
        "examples": found.examples if found else 0,
        "errors": checked.number_of("error"),
        "warnings": checked.number_of("warning"),
        "findings": [_finding(placed) for placed in checked.findings],
        "counts": checked.counts,
        "notes": list(checked.input.notes),
        "messages": dict(found.messages_by_role) if found else {},
        "tokens": {
            name: _figures(getattr(found, name)) if found else None
            for name in ("total", "assistant", "trained")
        },
        "images": _images(found) if found else None,
        "max_example_tokens": checked.model.max_example_tokens,
        "over_limit": found.over_limit if found else 0,
        "over_by_estimate": found.over_by_estimate if found else 0,
        "at_most": _at_most(found) if found else None,
        "cost": _cost(checked, found, prices) if found else None,
    }


def _finding(placed: Placed) -> dict[str, Any]:
    return {"file": placed.file, **msgspec.structs.asdict(placed.found), "lines": placed.lines}


def _figures(histogram: Histogram) -> dict[str, Any] | None:
    found = histogram.distribution()
    if found is None:
        return None
    bins = [
        {"low": low, "high": high, "count": number}
        for low, high, number in bins_of(histogram.counts, BINS)
    ]
    return {**msgspec.structs.asdict(found), "histogram": bins}


def _images(found: FileScan) -> dict[str, Any] | None:
    """What the images are estimated to count; `tokens` above doesn't contain it."""
    return (
        {**msgspec.structs.asdict(found.images), "is_estimate": True}
        if found.images.images
        else None
    )


def _at_most(found: FileScan) -> dict[str, Any]:
    """The upper bound of the file's tokens, with its parts: one is counted, the rest estimated."""
    return {
        "tokens": found.at_most_tokens,
        "counted": found.total.sum,
        "declared": found.declared_tokens,
        "other": found.other_tokens,
        "images": found.images.at_most,
        "uncounted": found.uncounted_bytes,
        "longest_example": found.longest_at_most,
    }


def _cost(checked: Checked, found: FileScan, prices: pricing.PriceTable) -> dict[str, Any] | None:
    """What training on the file costs; None where no such price applies."""
    # A validation file is free, and some formats are not billed by tokens.
    known = recognition.FORMATS.get(found.format)
    priced = known is None or known.priced
    if checked.input.role != "training" or not priced or not found.total.counts:
        return None
    epochs = checked.job.epochs or pricing.auto_epochs(found.examples)
    billed = pricing.billed_tokens(found.total.sum, epochs)
    training_type = checked.job.training_type_in_force
    price = pricing.training_cost(prices, checked.model.name, billed, training_type)
    billed_at_most = pricing.billed_tokens(found.at_most_tokens, epochs)
    at_most = pricing.training_cost(prices, checked.model.name, billed_at_most, training_type)
    return {
        "epochs": epochs,
        "epochs_chosen_by": "job.json" if checked.job.epochs else "service",
        "billed_tokens": billed,
        "training_type": training_type,
        "billed_tokens_at_most": billed_at_most,
        "usd": price.usd,
        "usd_at_most": at_most.usd,
        "usd_per_million_tokens": price.usd_per_million_tokens,
        "prices_as_of": prices.as_of.isoformat(),
        "is_estimate": True,
    }
