"""The host's log: one line per event on stderr, fields as JSON, other people's libraries quiet."""

import json
import logging
import sys

from tunedrop.host.errors import FunctionFailed, bounded

NOISY = ("azure", "durabletask", "uvicorn", "grpc", "asyncio", "urllib3", "httpx2", "openai")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

log = logging.getLogger("tunedrop.host")


class OneLine(logging.Formatter):
    """Time, level, logger, message, then the `extra` fields as JSON, in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for the record, however its message is made."""
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = bounded(f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}")
        line = (
            f"{self.formatTime(record, '%H:%M:%S')} {record.levelname} {record.name}: "
            f"{bounded(record.getMessage())}"
        )
        return f"{line} {json.dumps(fields, default=str)}" if fields else line


def configure(verbose: int) -> None:
    """Send logs to stderr: the app's and the host's from INFO, libraries' from WARNING; with 1 all
    from INFO, with 2 all from DEBUG.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(
        level=logging.DEBUG if verbose > 1 else logging.INFO, handlers=[handler], force=True
    )
    for name in NOISY:
        logging.getLogger(name).setLevel(
            (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
        )
    # Its DEBUG lines hold whole addresses, and the address of a shared access signature is the
    # secret itself.
    logging.getLogger("urllib3.connectionpool").setLevel(
        logging.INFO if verbose else logging.WARNING
    )
    # It warns of answers without a body.
    logging.getLogger("azure.storage.blob._shared.response_handlers").setLevel(logging.ERROR)


def log_failure(failure: FunctionFailed, **fields: str | int) -> None:
    """One line for one failed invocation."""
    log.error(
        "function failed",
        extra={
            "function": failure.function,
            "error_type": failure.error_type,
            "error": failure.message,
            **fields,
        },
    )
