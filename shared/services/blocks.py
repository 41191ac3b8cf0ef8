"""A large blob, written block by block: whole or not at all."""

import logging
import secrets
from collections.abc import Iterator

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobClient

from shared.services.storage_answers import translated

log = logging.getLogger(__name__)


def write_blocks(client: BlobClient, blocks: Iterator[bytes]) -> None:
    """Writes the blob of these blocks; where there is one already, that one stays.

    Raises:
        ResourceNotFoundError: the container is gone.
        ServiceRejected: also where another writer's commit has dropped the blocks of this one.
    """
    mark, ids = secrets.token_hex(8), list[str]()
    try:
        for number, block in enumerate(blocks):
            # Marked, so that no two writers make one blob of their blocks.
            ids.append(f"{mark}-{number:06}")
            with translated(ResourceNotFoundError):
                client.stage_block(ids[-1], block)
        with translated(ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            client.commit_block_list(
                [BlobBlock(one) for one in ids], match_condition=MatchConditions.IfMissing
            )
    except (ResourceExistsError, ResourceModifiedError):
        log.debug("blob was there")
