"""`python -m tunedrop.host`: serve a Functions app until a signal ends it."""

import argparse
import contextlib
import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from tunedrop.host import KEY
from tunedrop.host.errors import HostError
from tunedrop.host.host import Host, Options
from tunedrop.host.logs import configure


def arguments() -> argparse.ArgumentParser:
    """The command line; app settings come from the environment."""
    parser = argparse.ArgumentParser(
        prog="python -m tunedrop.host", description="Serve a Functions app on this machine."
    )
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py")
    parser.add_argument(
        "--port", type=int, default=7071, help="HTTP port on 127.0.0.1; 0 for any free one"
    )
    parser.add_argument(
        "--engine-port",
        type=int,
        default=0,
        help="port of the durable engine on 127.0.0.1; 0 for any free one",
    )
    parser.add_argument("--key", help=f"function key; else that in {KEY}, else a random one")
    parser.add_argument(
        "--ready-file",
        type=Path,
        help="file that gets url, key and process id once the host answers",
    )
    parser.add_argument(
        "--connection",
        default="DropStorage",
        help="app setting with the storage connection string of the lease",
    )
    parser.add_argument(
        "--lease-container", default="tunedrop", help="container whose one host this is"
    )
    parser.add_argument(
        "--wait-for-lease",
        action="store_true",
        help="wait for another host's end instead of giving up",
    )
    parser.add_argument(
        "--create-containers", action="store_true", help="make the containers that TuneDrop uses"
    )
    parser.add_argument(
        "--sweep-at-start", action="store_true", help="fire each timer function once at the start"
    )
    parser.add_argument(
        "--poll-every", type=float, default=0.5, help="seconds between two looks for new blobs"
    )
    parser.add_argument(
        "--exit-with-parent", action="store_true", help="end when standard input is closed"
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help="log what the libraries do; given twice, all that they can tell",
    )
    return parser


def main() -> int:
    """Run until told to end; answers the exit code of what went wrong, or 0."""
    given = arguments().parse_args()
    configure(given.verbose)
    host = Host(
        Options(
            app=given.app,
            port=given.port,
            engine_port=given.engine_port,
            key=given.key or os.environ.pop(KEY, "") or secrets.token_urlsafe(24),
            connection=given.connection,
            lease_container=given.lease_container,
            wait_for_lease=given.wait_for_lease,
            create_containers=given.create_containers,
            sweep_at_start=given.sweep_at_start,
            poll_every=given.poll_every,
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: host.ask_to_stop())
    if given.exit_with_parent:
        threading.Thread(target=_stop_at_end_of_input, args=(host,), daemon=True).start()
    try:
        host.start()
        if given.ready_file:
            _write_ready(given.ready_file, host)
        host.wait()
    except HostError as error:
        print(f"tunedrop host: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _stop_at_end_of_input(host: Host) -> None:
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.buffer.read(1):
            pass
    host.ask_to_stop()


def _write_ready(path: Path, host: Host) -> None:
    """Write in one step, readable by this user alone."""
    # The file holds the key and the hub's name, which opens the engine.
    told = {
        "url": host.url,
        "key": host.options.key,
        "engine": host.engine_address,
        "hub": host.hub,
        "pid": os.getpid(),
    }
    text = json.dumps(told)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_text(text, "utf-8")
    draft.replace(path)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of activities that still run would keep the interpreter from ending; the ledger brings
    # their runs back.
    os._exit(code)
