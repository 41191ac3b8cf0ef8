"""`python -m tunedrop.emulator`: the stand-in on a loopback port, until SIGTERM or SIGINT."""

import argparse
import json
import signal
import socket
import sqlite3
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from tunedrop.emulator import faults, pace, regions
from tunedrop.emulator.app import create_app
from tunedrop.emulator.world import API_KEY, Config

HOST = "127.0.0.1"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "tunedrop.emulator",
        description="Stand-in for Azure OpenAI fine-tuning and its management plane.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=4010,
        help="port on 127.0.0.1 (default 4010; 0 takes a free one)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        help="SQLite file that keeps the state; without it the state goes with the process",
    )
    parser.add_argument(
        "--region",
        default=regions.DEFAULT,
        help=f"{', '.join(regions.REGIONS)} (default {regions.DEFAULT})",
    )
    parser.add_argument(
        "--pace",
        help=f"{', '.join(pace.NAMED)}, or a JSON object (default: what the state says, or demo)",
    )
    parser.add_argument("--faults", type=Path, help="JSON file with a list of faults")
    parser.add_argument("--seed", type=int, help="makes ids repeatable")
    parser.add_argument("--api-key", default=API_KEY, help="key that the data plane accepts")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a limit; may be given often",
    )
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a switch; may be given often",
    )
    parser.add_argument("--verbose", action="store_true", help="a line for every request")
    return parser


def _pairs(given: list[str]) -> dict[str, Any]:
    pairs = [text.partition("=") for text in given]
    return {name: _value(value) for name, _, value in pairs}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _config(options: argparse.Namespace) -> Config:
    chosen = pace.parse(_value(options.pace)) if options.pace else None
    return Config(
        state=options.state,
        api_key=options.api_key,
        region=regions.named(options.region),
        pace=chosen,
        limits=_pairs(options.limit),
        switches=_pairs(options.switch),
        faults=faults.read(options.faults) if options.faults else [],
        seed=options.seed,
    )


def _listen(port: int) -> socket.socket:
    """A bound socket."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Not SO_REUSEPORT: a second stand-in would share the port unseen.
    if sys.platform != "win32":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    bound.listen(128)
    return bound


def _end_on_signals(server: uvicorn.Server) -> None:
    """Let SIGTERM and SIGINT end the server from now on."""

    # uvicorn's own handlers come later, and raise the signal again at the end.
    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to end; 2 for wrong options or a taken port."""
    options = _arguments().parse_args(arguments)
    try:
        config = _config(options)
        app = create_app(config)
    except (ValueError, OSError) as error:
        print(f"tunedrop.emulator: {error}", file=sys.stderr)
        return 2
    except sqlite3.Error as error:
        print(
            (
                f"tunedrop.emulator: {options.state} can't be used as --state ({error}); is "
                "another stand-in using it?"
            ),
            file=sys.stderr,
        )
        return 2
    try:
        bound = _listen(options.port)
    except OSError as error:
        print(
            (
                f"tunedrop.emulator: port {options.port} on {HOST} can't be used "
                f"({error.strerror}); choose another with --port."
            ),
            file=sys.stderr,
        )
        return 2
    level = "info" if options.verbose else "warning"
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_level=level, access_log=options.verbose, timeout_graceful_shutdown=2
        )
    )
    _end_on_signals(server)
    print(f"The stand-in listens on http://{HOST}:{bound.getsockname()[1]}", flush=True)
    server.run(sockets=[bound])
    return 0


if __name__ == "__main__":
    sys.exit(main())
