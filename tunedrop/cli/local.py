"""`tunedrop local`: everything on this machine, until Ctrl-C."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

import typer

from tunedrop.cli.options import DATA, DEFAULT_REGION, AsJson, Azurite, Data, Region
from tunedrop.cli.output import ERRORS, UNAVAILABLE, Trouble, command, err, out, visible
from tunedrop.local import ports, session
from tunedrop.local.azurite import NotInstalled
from tunedrop.local.children import ChildEnded
from tunedrop.local.session import Addresses
from tunedrop.local.stack import Interrupted, NotReady, Wanted, running


def _port(option: str, what: str) -> Any:
    """The option of a port; its variable has the option's name."""
    variable = f"TUNEDROP_LOCAL_{option.removeprefix('--').replace('-', '_').upper()}"
    return typer.Option(
        option, min=0, max=65_535, help=f"Port of {what}; 0 means any free port.", envvar=variable
    )


def local(
    as_json: AsJson = False,
    port: Annotated[int | None, _port("--port", "the HTTP API (7071)")] = None,
    storage_port: Annotated[int | None, _port("--storage-port", "the storage (10000)")] = None,
    emulator_port: Annotated[int | None, _port("--emulator-port", "the stand-in (4010)")] = None,
    engine_port: Annotated[
        int | None, _port("--engine-port", "the durable engine (any free one)")
    ] = None,
    which: Annotated[
        Literal["default", "free"],
        typer.Option(
            "--ports",
            help=("Which ports to use for parts without their own option."),
            envvar="TUNEDROP_LOCAL_PORTS",
        ),
    ] = "default",
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            help="Function key; default: a new one at each start.",
            envvar="TUNEDROP_LOCAL_KEY",
        ),
    ] = None,
    pace: Annotated[
        str,
        typer.Option(
            "--pace",
            help="How fast the stand-in is: instant, fast, demo or real.",
            autocompletion=lambda: ["instant", "fast", "demo", "real"],
        ),
    ] = "demo",
    region: Region = DEFAULT_REGION,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A JSON file of faults for the stand-in.")
    ] = None,
    azurite: Azurite = None,
    data: Data = DATA,
) -> None:
    """Start storage, stand-in and host; print how to reach them; stay until Ctrl-C."""
    named = {"api": port, "storage": storage_port, "emulator": emulator_port, "engine": engine_port}
    wanted_ports = replace(
        ports.ANY if which == "free" else ports.DEFAULTS,
        **{k: v for k, v in named.items() if v is not None},
    )
    wanted = Wanted(
        data.resolve(),
        wanted_ports,
        key,
        pace,
        known(region),
        faults.resolve() if faults else None,
        azurite,
    )
    stop = stop_event()
    with troubles():
        if faults:
            checked(faults)
        try:
            with (
                running(wanted, stop, starting) as stack,
                session.remembered(wanted.data, stack.addresses),
            ):
                print(stack.addresses.to_json(), flush=True) if as_json else explain(
                    stack.addresses
                )
                while not stop.wait(0.5):
                    stack.check()
                err.print("[dim]ending …[/]")
        except Interrupted:
            err.print("[dim]ended before it was ready[/]")


@contextmanager
def troubles() -> Generator[None]:
    """What can go wrong with a stack, as the commands tell it."""
    try:
        yield
    except (ports.PortUnusable, session.DataInUse, session.DataUnusable) as problem:
        raise Trouble(str(problem), ERRORS) from None
    except (NotInstalled, NotReady, ChildEnded) as problem:
        raise Trouble(str(problem), UNAVAILABLE) from None


def checked(plan: Path) -> None:
    """Has a mistake in a plan of faults told before anything starts."""
    from tunedrop.emulator import faults  # not needed without a plan

    try:
        faults.read(plan)
    except ValueError as wrong:
        raise Trouble(str(wrong), ERRORS) from None


def known(region: str) -> str:
    """A region by the name that the stand-in gives it."""
    from tunedrop.emulator import regions

    # A wrong one is told before anything starts.
    try:
        return regions.named(region)
    except ValueError as wrong:
        raise Trouble(str(wrong), ERRORS) from None


def starting(part: str) -> None:
    """Says that a part is being started."""
    err.print(f"[dim]starting[/] {part}")


def stop_event() -> threading.Event:
    """Set by Ctrl-C and by SIGTERM, which from now on do nothing else."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        # In a thread, because the signal may have come while the main thread held the event's lock.
        threading.Thread(target=stop.set, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def explain(addresses: Addresses) -> None:
    """How to reach the stack, and three ways to drop a file."""
    out.print(f"""
[bold green]TuneDrop is ready.[/] Ctrl-C ends it.

  HTTP API      {addresses.api}   (header x-functions-key)
  function key  {visible(addresses.key)}
  stand-in      {addresses.emulator}
  storage       {addresses.storage}

Drop a file, in another terminal:

  {command()} drop examples/travel-desk --follow

  az storage blob upload --container-name training --file my.jsonl --name my-run.jsonl \\
    --connection-string "{addresses.storage}"

  Storage Explorer: connect with this connection string, upload into the container `training`
""")
