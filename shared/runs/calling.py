"""Waking a run that waits."""

import logging

import grpc
from durabletask.client import TaskHubGrpcClient

from shared.models.messages import WAKE

log = logging.getLogger("tunedrop")
# What the id of the instance of a run that stands in the gate ends with: a test compares it with
# the orchestrators' names.
GATE = "-gate"


def wake(client: TaskHubGrpcClient, instance: str) -> None:
    """Cuts the wait of this instance short. It is only a hint: what it is about stands in the
    ledger, and the next look reads it.
    """
    try:
        client.raise_orchestration_event(instance, WAKE)
    except grpc.RpcError:
        log.info("no instance to wake", extra={"run": instance})


def call_to_the_gate(client: TaskHubGrpcClient, run_id: str) -> None:
    """Has a run in the gate look whether it can go on."""
    wake(client, run_id + GATE)
