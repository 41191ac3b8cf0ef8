"""Give back what an ended run has booked, and call the runs that wait for it."""

import azure.durable_functions as df
from durabletask.client import TaskHubGrpcClient

from shared.models.messages import Answer, RunStep, done
from shared.runs import line
from shared.runs.activity import activity_that_calls
from shared.runs.calling import call_to_the_gate
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger
from shared.settings import settings

bp = df.Blueprint()


@activity_that_calls(bp, RunStep)
def give_back(wanted: RunStep, client: TaskHubGrpcClient) -> Answer:
    """Settles the booking and wakes whom its place is for: the run that has waited longest, and
    those with the same content.

    Second run: the place is given away already, and a run that is called twice looks twice. Of one
    that dies in between, the sweep calls the others.
    """
    checkpoint("give_back: before the wallet")
    names = line.give_back(open_ledger(), wanted.run_id, line.rules(settings()))
    checkpoint("give_back: after the wallet")
    for name in names:
        call_to_the_gate(client, name)
    checkpoint("give_back: after the calls")
    return done()
