"""The blob trigger: a starting blob lands, a run begins.

Bound as a BlobClient, so that the host never loads a 512 MB drop into memory.
"""

import azure.durable_functions as df
import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob  # pyright: ignore[reportMissingTypeStubs]  # ships no py.typed

from shared import storage
from shared.ledger import open_ledger
from shared.models.drop import drop_of
from shared.settings import CONNECTION, settings
from triggers.starting import start_once

bp = df.Blueprint()


@bp.function_name("on_drop")
@bp.blob_trigger(  # pyright: ignore[reportUnknownMemberType]  # its **kwargs have no type
    arg_name="dropped",
    path=f"{settings().training_container}/{{name}}",
    connection=CONNECTION,
    source=func.BlobSource.EVENT_GRID if settings().blob_source == "EventGrid" else func.BlobSource.LOGS_AND_CONTAINER_SCAN,
)
@bp.durable_client_input(client_name="client")
def on_drop(dropped: blob.BlobClient, client: df.SyncDurableFunctionsClient) -> None:
    """Starts the run of this blob, if it starts one. The same event again does nothing.

    A blob that is gone by now has nothing to start; a blob that was replaced starts the run of what stands there.
    """
    container = storage.training()
    facts = container.facts(str(dropped.blob_name))
    drop = drop_of(container.account, container.name, facts.name, facts.etag) if facts else None
    if drop:
        start_once(client, open_ledger(), drop)
