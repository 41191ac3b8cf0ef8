"""A storage account, as `drop` and `demo` use it: a drop is sent there. No type of
azure-storage-blob leaves this module.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.identity import AzureCliCredential, CredentialUnavailableError
from azure.storage.blob import BlobServiceClient

from shared.settings import AZURITE, AZURITE_CONNECTION_STRING
from tunedrop.cli.client import LOOPBACK
from tunedrop.cli.contents import Ready
from tunedrop.cli.output import UNAVAILABLE, Trouble

# Three more attempts within 10 s, by azure-storage-blob's options; of itself it goes on for
# minutes.
PATIENCE: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "connection_timeout": 10}


class Account:
    """A storage account. Every call may raise Trouble."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    @classmethod
    def named_by(cls, connection_string: str) -> Self:
        """The account of a connection string."""
        # As everywhere, `UseDevelopmentStorage=true` is Azurite on its default port.
        connection_string = (
            AZURITE_CONNECTION_STRING if connection_string == AZURITE else connection_string
        )
        # A company's proxy doesn't lead to this machine.
        local = "127.0.0.1" in connection_string
        try:
            return cls(
                BlobServiceClient.from_connection_string(
                    connection_string, use_env_settings=not local, **PATIENCE
                )
            )
        except ValueError:
            raise Trouble("The connection string is not one of Azure Storage.") from None

    @classmethod
    def at(cls, url: str) -> Self:
        """The account with this blob endpoint, reached as whoever `az login` has signed in."""
        parts = urlsplit(url)
        if not parts.netloc or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
            raise Trouble(
                "The account's URL must be its blob endpoint, such as "
                "https://<account>.blob.core.windows.net."
            )
        return cls(BlobServiceClient(url, credential=AzureCliCredential(), **PATIENCE))

    @property
    def name(self) -> str:
        """The account's name."""
        return str(self._service.account_name)

    def holds(self, container: str, blob: str) -> bool:
        """Whether there is such a blob."""
        with _translated(container):
            return self._service.get_blob_client(container, blob).exists()

    def send(self, container: str, file: Ready, moved: Callable[[int], None]) -> str:
        """Streams one file, in place of what was there, and answers its ETag, unquoted; `moved`
        hears how many bytes have gone.
        """
        size = file.source.size
        with _translated(container):
            stored = self._service.get_blob_client(container, file.upload.blob).upload_blob(
                file.source.read(0, size),
                length=size,
                overwrite=True,
                progress_hook=lambda current, _total: moved(current),
            )
        return str(stored["etag"]).strip('"')


@contextmanager
def _translated(container: str) -> Generator[None]:
    try:
        yield
    except CredentialUnavailableError:
        raise Trouble(
            "Nobody is signed in. Run `az login`, or give --connection-string.", UNAVAILABLE
        ) from None
    except ClientAuthenticationError:
        raise Trouble(
            (
                "The storage account refuses the key or the identity. Check the key or "
                "identity, and its right to write blobs."
            ),
            UNAVAILABLE,
        ) from None
    except ResourceNotFoundError:
        raise Trouble(
            f"The storage account has no container {container}. Name another with --container.",
            UNAVAILABLE,
        ) from None
    except HttpResponseError as error:
        if error.status_code == 403:
            raise Trouble(
                "The storage account refuses this identity the right to write blobs.", UNAVAILABLE
            ) from None
        raise Trouble(
            f"The storage account refused: status {error.status_code}.", UNAVAILABLE
        ) from None
    except AzureError as error:
        raise Trouble(
            f"The storage account does not answer ({type(error).__name__}).", UNAVAILABLE
        ) from None
    except OSError as error:
        raise Trouble(f"A file can't be read: {error.strerror}.") from None
