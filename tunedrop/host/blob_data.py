"""What Microsoft's blob trigger tells of a blob besides the reference to it: the trigger's
metadata, with the fields of the .NET library.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from azure.storage.blob import BlobProperties

from tunedrop.host.messages import Message, TypedData

NEVER = "0001-01-01T00:00:00+00:00"
TYPES = {"BlockBlob": 0, "PageBlob": 1, "AppendBlob": 2}
LEASES = {"available": 0, "leased": 1, "expired": 2, "breaking": 3, "broken": 4}


def reference(connection: str, container: str, blob: str) -> Message:
    """A blob by connection, container and name, never its content."""
    content = json.dumps({"Connection": connection, "ContainerName": container, "BlobName": blob})
    return Message(
        version="1.0",
        source="AzureStorageBlobs",
        content_type="application/json",
        content=content.encode(),
    )


# Source: a recording of that host with the blob extension 5.3.10. `ETag` is an empty object there:
# the library can't write it as JSON.
def trigger_data(
    container: str, uri: str, facts: BlobProperties, names: dict[str, str]
) -> dict[str, TypedData]:
    """The metadata of a blob's event; `names` are the expressions of the trigger's path."""
    return {
        "BlobTrigger": TypedData(string=f"{container}/{facts.name}"),
        "Uri": TypedData(json=json.dumps(uri)),
        "Metadata": TypedData(json=json.dumps(facts.metadata or {})),
        "Properties": TypedData(json=json.dumps(_properties(facts))),
        **{name: TypedData(string=value) for name, value in names.items()},
    }


def _properties(facts: BlobProperties) -> dict[str, Any]:
    content = facts.content_settings
    return {
        "LastModified": _time(facts.last_modified),
        "CreatedOn": _time(facts.creation_time),
        "Metadata": facts.metadata or {},
        "ObjectReplicationDestinationPolicyId": facts.object_replication_destination_policy,
        "ObjectReplicationSourceProperties": None,
        "BlobType": TYPES.get(str(getattr(facts.blob_type, "value", facts.blob_type)), 0),
        "ETag": {},
        "ContentLength": facts.size,
        "ContentType": content.content_type,
        "ContentHash": base64.b64encode(bytes(content.content_md5)).decode()
        if content.content_md5
        else None,
        "ContentEncoding": content.content_encoding,
        "ContentDisposition": content.content_disposition,
        "ContentLanguage": content.content_language,
        "CacheControl": content.cache_control,
        "BlobSequenceNumber": facts.page_blob_sequence_number or 0,
        "AcceptRanges": "bytes",
        "BlobCommittedBlockCount": facts.append_blob_committed_block_count or 0,
        **_of_the_copy(),
        **_of_the_lease(facts),
        **_of_the_keeping(facts),
    }


def _of_the_copy() -> dict[str, Any]:
    """What the metadata tells of a copy, for a blob that is none."""
    # A drop is uploaded: all is left at what the library has for none.
    texts = dict.fromkeys(
        (
            "CopyStatusDescription",
            "CopyId",
            "CopyProgress",
            "CopySource",
            "BlobCopyStatus",
            "DestinationSnapshot",
        )
    )
    return {"CopyCompletedOn": NEVER, "CopyStatus": 0, "IsIncrementalCopy": False, **texts}


def _of_the_lease(facts: BlobProperties) -> dict[str, int]:
    lease = facts.lease
    return {
        "LeaseDuration": 1 if lease.duration == "fixed" else 0,
        "LeaseState": LEASES.get(str(lease.state), 0),
        "LeaseStatus": 0 if lease.status == "locked" else 1,
    }


def _of_the_keeping(facts: BlobProperties) -> dict[str, Any]:
    return {
        "IsServerEncrypted": bool(facts.server_encrypted),
        "EncryptionKeySha256": facts.encryption_key_sha256,
        "EncryptionScope": facts.encryption_scope,
        "AccessTier": facts.blob_tier,
        "AccessTierInferred": bool(facts.blob_tier_inferred),
        "ArchiveStatus": facts.archive_status,
        "AccessTierChangedOn": _time(facts.blob_tier_change_time),
        "VersionId": facts.version_id,
        "IsLatestVersion": bool(facts.is_current_version),
        "TagCount": facts.tag_count or 0,
        "ExpiresOn": NEVER,
        "IsSealed": bool(facts.is_append_blob_sealed),
        "RehydratePriority": facts.rehydrate_priority,
        "LastAccessed": _time(facts.last_accessed_on),
        "ImmutabilityPolicy": {"ExpiresOn": None, "PolicyMode": None},
        "HasLegalHold": bool(facts.has_legal_hold),
    }


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else NEVER
