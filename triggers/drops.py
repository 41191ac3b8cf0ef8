"""The blob trigger: a starting blob lands, a run begins.

Bound as a BlobClient, so that the host never loads a 512 MB drop into memory.
"""

import logging

import azure.durable_functions as df
import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob  # pyright: ignore[reportMissingTypeStubs]  # ships no py.typed

from shared.models.drop import JOB_FILE, PACKED, VALIDATION_SET, drop_of
from shared.models.record import BLOB_SHOWN_CHARS
from shared.runs.ledger import open_ledger
from shared.services import storage
from shared.settings import CONNECTION, settings, storage_connection
from triggers.starting import start_once

bp = df.Blueprint()
# a connection that the host or the worker would not take is told now, not at the first drop
storage_connection()
log = logging.getLogger("tunedrop")


@bp.function_name("on_drop")
@bp.blob_trigger(  # pyright: ignore[reportUnknownMemberType]  # its **kwargs have no type
    arg_name="dropped",
    path=f"{settings().training_container}/{{name}}",
    connection=CONNECTION,
    source=func.BlobSource.EVENT_GRID
    if settings().blob_source == "EventGrid"
    else func.BlobSource.LOGS_AND_CONTAINER_SCAN,
)
@bp.durable_client_input(client_name="client")
def on_drop(dropped: blob.BlobClient, client: df.SyncDurableFunctionsClient) -> None:
    """Starts the run of this blob, if it starts one. The same event again does nothing."""
    container = storage.training()
    # What stands there now: a blob that is gone has nothing to start, and one that was replaced
    # starts the run of its successor.
    facts = container.facts(str(dropped.blob_name))
    drop = drop_of(container.account, container.name, facts.name, facts.etag) if facts else None
    if drop:
        start_once(client, open_ledger(), drop)
    elif facts and not joins(facts.name):
        # Told in the log: whoever waits for its run finds out why none comes.
        # Letters outside ASCII and control characters stand as escapes: a name must forge no line
        # of a log.
        log.warning(
            "blob starts no run",
            extra={"blob": ascii(facts.name)[1:-1][:BLOB_SHOWN_CHARS], "bytes": facts.bytes},
        )


def joins(blob: str) -> bool:
    """Whether a blob that starts no run belongs to one: beside a training file, or a part of
    Spark's.
    """
    *folders, file = blob.split("/")
    return bool(folders) and (
        file in {VALIDATION_SET, VALIDATION_SET + PACKED, JOB_FILE}
        or folders[-1] in {"training", "validation"}
    )
