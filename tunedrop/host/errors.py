"""What can keep the embedded host from running, and what a function's failure looks like.

HostError            exit 1: the app can't be started, or a setting is missing
├── PortTaken        exit 2
├── LeaseHeld        exit 3: another host serves this container
└── LeaseLost        exit 4: another host took over while this one ran
FunctionFailed       one invocation failed; the host goes on
"""

MESSAGE_MAX_CHARS = 1_000


def bounded(text: str) -> str:
    """The text without control characters, at most 1,000 characters, so that no log line or history
    can be forged or flooded.
    """
    printable = "".join(
        char if char.isprintable() else " " for char in text[: MESSAGE_MAX_CHARS + 1]
    )
    return (
        printable
        if len(printable) <= MESSAGE_MAX_CHARS
        else printable[: MESSAGE_MAX_CHARS - 1] + "…"
    )


class HostError(Exception):
    """The host can't run; the text is one line for the person who started it."""

    exit_code = 1


class PortTaken(HostError):
    """Somebody else listens on a port that this host was told to use."""

    exit_code = 2

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"Port {port} is in use: stop the program that uses it, or choose another port with "
            f"{option}."
        )
        self.port = port


class LeaseHeld(HostError):
    """Another embedded host holds the lease of this container."""

    exit_code = 3

    def __init__(self, lock: str, pid: str, started: str) -> None:
        super().__init__(
            f"Another host (process {pid}, started {started}) holds the lease on {lock}. End "
            "it, or wait for at most a minute "
            "if it was killed (--wait-for-lease does so)."
        )


class LeaseLost(HostError):
    """Another host has taken the lease while this one did not renew it."""

    exit_code = 4

    def __init__(self, lock: str, pid: str, started: str) -> None:
        super().__init__(
            f"Another host (process {pid}, started {started}) has taken the lease on {lock}; "
            "this one stops, so that only one host works."
        )
        self.lock = lock


class FunctionFailed(Exception):
    """A function raised; carries its type and message, never its stack."""

    def __init__(self, function: str, error_type: str, message: str) -> None:
        super().__init__(f"{function}: {message}")
        self.function = function
        self.error_type = error_type
        self.message = bounded(message) or error_type
