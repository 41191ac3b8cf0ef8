"""No example is lost: what the report counts is what the drop holds."""

import json
from typing import TYPE_CHECKING, Any

from tests.faults.simulator.watch import Violation

if TYPE_CHECKING:
    from tests.faults.simulator.simulation import Simulation


def none_is_lost(world: "Simulation") -> None:
    """I11: lines and examples of each report, beside those of the upload that began its run."""
    for record in world.watch.records.values():
        if record.plan is None or record.report is None:
            continue
        container, _, page = record.report.partition("/")
        report = json.loads(
            world.account.blobs(container)[page.replace("report.html", "report.json")].content
        )
        pins = {role: pin.dropped for role in record.plan.roles if (pin := record.plan.file(role))}
        for part in report["data"]:
            wanted, found = _counted(world.watch.uploads[pins[part["role"]].etag]), _told(part)
            if found != wanted:
                raise Violation(
                    "I11",
                    (
                        f"the report of {record.id} counts {found} of the {part['role']} file, "
                        f"which has {wanted}"
                    ),
                )
        for role, summary in record.files.items():
            if summary.examples != _counted(world.watch.uploads[pins[role].etag])["examples"]:
                raise Violation(
                    "I11", f"{record.id} trained on {summary.examples} examples of the {role} file"
                )


def _told(part: dict[str, Any]) -> dict[str, int]:
    return {name: part[name] for name in ("bytes", "lines", "examples")}


def _counted(content: bytes) -> dict[str, int]:
    lines = content.splitlines()
    return {
        "bytes": len(content),
        "lines": len(lines),
        "examples": sum(line.startswith(b"{") and line.endswith(b"}") for line in lines),
    }
