"""The ports of the local stack, all on 127.0.0.1, checked before anything is started."""

import socket
import sys
from contextlib import ExitStack
from dataclasses import astuple, dataclass

HOST = "127.0.0.1"
# The options that set the fields of `Ports`, in their order.
OPTIONS = ("--port", "--storage-port", "--emulator-port", "--engine-port")


class PortUnusable(Exception):
    """A port that the stack can't have; the message names it and the option that changes it."""


@dataclass(frozen=True)
class Ports:
    """Where each part listens; 0 stands for any free port."""

    api: int = 7071
    storage: int = 10_000
    emulator: int = 4010
    engine: int = 0


DEFAULTS = Ports()
ANY = Ports(0, 0, 0, 0)


def chosen(wanted: Ports) -> Ports:
    """The same ports, each 0 replaced by one that is free now.

    Raises:
        PortUnusable: somebody listens on a port, it is wanted twice, or this user may not have it.
    """
    named: dict[int, str] = {}
    found: list[int] = []
    with ExitStack() as held:  # all at once: two free ports must not be the same
        for port, option in zip(astuple(wanted), OPTIONS, strict=True):
            if port in named:
                raise PortUnusable(
                    f"Port {port} is wanted by {named[port]} and by {option}. Give each its "
                    "own; 0 means any free port."
                )
            if port:
                named[port] = option
            found.append(_held(held, port, option))
    return Ports(*found)


def _held(held: ExitStack, port: int, option: str) -> int:
    probe = held.enter_context(socket.socket())
    # A port in TIME_WAIT is free; on Windows the option would share one in use.
    if sys.platform != "win32":
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HOST, port))
        probe.listen(1)
    except OSError as error:
        why = "is not allowed to this user" if isinstance(error, PermissionError) else "is taken"
        raise PortUnusable(
            f"Port {port} on {HOST} {why}. Choose another with {option}; 0 means any free port."
        ) from None
    return int(probe.getsockname()[1])
