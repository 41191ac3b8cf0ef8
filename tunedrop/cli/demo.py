"""`tunedrop demo`: the whole way, once: start everything, drop the sample, follow it, end with a
proven model.
"""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from tunedrop import folders
from tunedrop.cli.client import Api, part
from tunedrop.cli.drop import send
from tunedrop.cli.following import follow
from tunedrop.cli.local import known, starting, stop_event, troubles
from tunedrop.cli.naming import layout_of
from tunedrop.cli.options import DATA, DEFAULT_REGION, AsJson, Azurite, Data, Region
from tunedrop.cli.output import NOT_SUCCEEDED, Trouble, document, fields, out
from tunedrop.cli.report import facts_beside, fetched
from tunedrop.local import session
from tunedrop.local.ports import ANY
from tunedrop.local.stack import Interrupted, Stack, Wanted, running
from tunedrop_check.counting.money import usd


@dataclass(frozen=True)
class Shown:
    """How the demo ended: the run, and its report with the page's place on this disk."""

    run: dict[str, Any]
    report: dict[str, Any]
    page: Path | None


def demo(
    as_json: AsJson = False,
    region: Region = DEFAULT_REGION,
    azurite: Azurite = None,
    data: Data = DATA,
) -> None:
    """Fine-tune, deploy and prove a model from the sample data, on this machine alone. Exit code 0
    only if it succeeded.
    """
    chosen = known(region)
    stop = stop_event()
    try:
        with (
            troubles(),
            running(
                Wanted(_folder(data), ANY, region=chosen, azurite=azurite), stop, starting
            ) as stack,
        ):
            shown = _shown(stack)
    except Interrupted:
        raise Trouble(
            "Interrupted; everything that was started has been stopped.", NOT_SUCCEEDED
        ) from None
    tell(shown, as_json)
    if shown.run["outcome"] != "succeeded":
        raise typer.Exit(NOT_SUCCEEDED)


def _folder(data: Path) -> Path:
    """A new folder for this demo."""
    demos = data.resolve() / "demo"
    session.made(demos)
    # Earlier ones stay, for whoever wants to look again.
    return Path(tempfile.mkdtemp(prefix=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-", dir=demos))


def _shown(stack: Stack) -> Shown:
    # azure-storage-blob, 0.3 s: not for the other commands.
    from tunedrop.cli.account import Account

    account = Account.named_by(stack.addresses.storage)
    run_id = send(account, "training", layout_of([folders.SAMPLE])).run_id
    service = Api(stack.addresses.api, stack.addresses.key)
    run = follow(service, run_id, stack.check)
    page = fetched(service, run, stack.data / "report") if run["report"] else None
    return Shown(run, facts_beside(page) if page else {}, page)


def tell(shown: Shown, as_json: bool) -> None:
    """The end of the demo, on stdout."""
    run, page = shown.run, str(shown.page) if shown.page else None
    model = part(run, "job").get("fine_tuned_model")
    if as_json:
        told = {"run_id": run["id"], "outcome": run["outcome"], "deployment": run["deployment"]}
        document(told | {"model": model, "answer": run["answer"], "report": page})
        return
    asked = [
        message["content"]
        for message in part(shown.report, "smoke_test").get("messages", [])
        if message["role"] == "user"
    ]
    problem = part(run, "problem")
    fields(
        ("outcome", run["outcome"]),
        ("deployment", run["deployment"]),
        ("model", model),
        ("asked", asked[-1] if asked else None),
        ("answered", run["answer"]),
        ("problem", problem.get("message")),
        ("fix", problem.get("fix")),
        ("money", money(part(shown.report, "money"))),
        ("report", page),
    )
    out.print()


def money(told: dict[str, Any]) -> str | None:
    """What the run would have cost on Azure, from its report; None where no price is known."""
    training, hour = told.get("training_usd"), told.get("deployment_usd_per_hour")
    if training is None or hour is None:
        return None
    return (
        f"nothing here; on Azure {usd(training)} for the training, and {usd(hour)} an hour while "
        "the deployment stands"
    )
