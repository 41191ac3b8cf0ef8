"""Blob storage as the host needs it: connections by setting name, no patience inside the SDK."""

import os

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobServiceClient

from tunedrop.host.errors import HostError, bounded


def connect(connection: str) -> BlobServiceClient:
    """A client for the connection string that this app setting holds; nothing is sent yet."""
    text = os.environ.get(connection)
    if not text:
        msg = f"The app setting {connection} is missing: it holds the storage connection string."
        raise HostError(msg)
    try:
        # The SDK's own retries are off: by default it would hide an outage for most of a minute.
        return BlobServiceClient.from_connection_string(
            text, retry_total=0, connection_timeout=5, read_timeout=30
        )
    except ValueError as error:
        msg = f"The app setting {connection} holds no storage connection string."
        raise HostError(msg) from error


def cause(error: AzureError) -> str:
    """What went wrong, in the service's code words."""
    # The SDK's own text can quote names and signed addresses.
    if isinstance(error, HttpResponseError):
        return (
            f"{error.status_code} "
            f"{bounded(str(getattr(error, 'error_code', None) or error.reason))}"
        )
    return f"no connection, {type(error).__name__}"


def create_containers(service: BlobServiceClient, *names: str) -> None:
    """Make the containers that are missing; raises HostError where storage doesn't answer."""
    for name in names:
        try:
            service.get_container_client(name).create_container()
        except ResourceExistsError:
            continue
        except AzureError as error:
            msg = f"Storage can't be used: {cause(error)}"
            raise HostError(msg) from error
