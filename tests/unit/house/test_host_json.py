"""What host.json must say, each for a fact that was seen on Microsoft's host or stands in its
source.
"""

import json
from typing import Any

import pytest

from tests.unit.house.repository import ROOT

HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
DURABLE: dict[str, Any] = HOST["extensions"]["durableTask"]


@pytest.mark.parametrize(
    "queue", ["controlQueueVisibilityTimeout", "workItemQueueVisibilityTimeout"]
)
def test_messages_of_a_host_that_died_are_hidden_for_a_minute(queue: str) -> None:
    """By default for five: so long a run stood still after its host was killed, though another was
    there. A minute is the least taken.
    """
    assert DURABLE["storageProvider"][queue] == "00:01:00"


def test_app_looks_for_its_hub_once_a_minute() -> None:
    """Where another app held the hub: by default once in five minutes. The lease itself, of a
    minute, is what keeps two apps apart.
    """
    assert DURABLE["appLeaseOptions"] == {"acquireInterval": "00:01:00"}


def test_hub_is_named_and_keeps_data_out_of_traces() -> None:
    """Two apps never share a hub by a default name; inputs and outputs stay out of the telemetry;
    idle partitions are few.
    """
    assert (DURABLE["hubName"], DURABLE["tracing"]["traceInputsAndOutputs"]) == ("tunedrop", False)
    assert DURABLE["storageProvider"]["partitionCount"] in (1, 2)


def test_bundle_is_new_enough_for_the_durable_package() -> None:
    """Version 2 of azure-functions-durable speaks gRPC only, which the public bundle does since
    4.38.1.
    """
    assert HOST["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.38.1, 5.0.0)",
    }
