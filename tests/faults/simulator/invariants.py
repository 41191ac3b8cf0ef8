"""What must hold in every world, by the provider's record: the invariants I0 to I15.

They are checked here, unless a file is named.

I0   No run fails by faults alone, no activity crashes, no story breaks (also watch.py).
I1   One job a run, one at a time and one success for the same content; no creating call is
     repeated by a client.
I1   No claim forgets who holds it, and nobody waits for a run that ended badly without a job
     (watch.py).
I2   A deployment outlives its run only where the run succeeded, and then it does.
I3   Every drop ends, with a report, in bounded time (also simulation.py).
I4   What is live was proven: no promotion yet.
I5   Nothing is bought without a budget for it, nor more at a time than the wallet allows.
I5   No run and no day costs more than its limit, by the provider's own bill (bills.py).
I6   An ending never changes, a step never goes back, a story ends as the ledger says (watch.py).
I7   A replay says the same, and a generation leaves no timer behind (watch.py).
I8   What a service says is kept without secrets, and cut.
I8   Text of a drop stands nowhere but in the drop; the row that the smoke test asks stands in
     record and report, too.
I9   What stands at the provider is known to its run, what a run took back is gone, what is
     somebody else's is left alone.
I10  After an accepted cancel nothing is made, and the run does not succeed.
I11  A run trains on exactly the bytes that began it, and its report counts every line of them
     (also examples.py).
I12  Bytes that no run can use are never read: of page and append blobs, and of blobs that are too
     large (watch.py).
I13  A run that waits says why (watch.py).
I14  A run's own name is its own, whoever asks for it.
I15  Places are given in the order in which the runs came to the gate (watch.py).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.models.pace import AZURE
from shared.models.record import Outcome, RunRecord, Step
from shared.runs.marks import run_of_file
from tests.faults.simulator import bills, examples
from tests.faults.simulator.drops import CANARY, FOREIGN
from tests.faults.simulator.provider import CREATING
from tests.faults.simulator.watch import Violation
from tests.faults.simulator.wire import SECRETS

if TYPE_CHECKING:
    from tests.faults.simulator.simulation import Simulation

# A creating call that was sent before the cancel may be committed so long after its time is up.
ON_ITS_WAY_S = 25.0
# The containers that the app writes to.
KEPT = ("tunedrop", "reports", "reports-2")
LONG = b"and on and on " * 100


def check(world: "Simulation") -> None:
    """All that must hold when nothing more can happen; raises Violation."""
    invariants: list[Callable[[Simulation], None]] = [
        one_job_a_run,
        one_purchase_for_one_content,
        no_creating_call_is_repeated,
        deployments_stand_where_runs_succeeded,
        what_is_taken_back_is_gone,
        everything_at_the_provider_is_known,
        everything_ended_with_a_report,
        nothing_failed_by_faults_alone,
        nothing_is_bought_without_a_budget,
        no_more_at_a_time_than_allowed,
        cancelled_is_cancelled,
        own_bytes_are_trained_on,
        no_word_of_a_drop_elsewhere,
        no_secret_of_a_service_elsewhere,
        own_names_are_own,
        examples.none_is_lost,
        bills.no_run_costs_more_than_its_limit,
        bills.no_day_costs_more_than_its_limit,
    ]
    for invariant in invariants:
        invariant(world)


def one_job_a_run(world: "Simulation") -> None:
    """I1: by the provider's own record of what it made."""
    made = Counter(
        asked.about
        for asked in world.provider.record
        if asked.operation == "fine_tuning.jobs.create" and asked.committed
    )
    if more := {
        run_id: count
        for run_id, count in made.items()
        if count > 1 and run_id not in world.watch.frozen_in_a_call
    }:
        raise Violation("I1", f"more than one job was made: {more}")


def one_purchase_for_one_content(world: "Simulation") -> None:
    """I1: of the runs that don't ask for a retrain."""
    by_content: dict[str, list[dict[str, Any]]] = {}
    for job, record in jobs_of(world):
        if (
            record.plan
            and not record.plan.retrain
            and record.id not in world.watch.frozen_in_a_call
        ):
            hashes = [record.files[role].content_hash for role in record.plan.roles]
            by_content.setdefault(
                "\n".join([*hashes, record.plan.training.model_dump_json()]), []
            ).append(job)
    for jobs in by_content.values():
        names = [str(world.provider.run_of(job)) for job in jobs]
        if sum(world.watch.records[name].outcome is Outcome.SUCCEEDED for name in names) > 1:
            raise Violation("I1", f"the same content was bought twice: {names}")
        spans = sorted(
            (job["created"], job.get("finished", float("inf")), name)
            for job, name in zip(jobs, names, strict=True)
        )
        if clash := [(a[2], b[2]) for a, b in pairwise(spans) if b[0] < a[1]]:
            raise Violation("I1", f"the same content was trained at the same time: {clash}")


def no_creating_call_is_repeated(world: "Simulation") -> None:
    """I1: the client itself sends each once."""
    for asked in world.provider.record:
        if asked.operation in CREATING and asked.retry_count != "0":
            raise Violation("I1", f"the client itself repeated {asked.operation} for {asked.about}")


def deployments_stand_where_runs_succeeded(world: "Simulation") -> None:
    """I2, and I9 for the one that is somebody else's."""
    standing = {d["name"]: d for d in world.provider.docs("deployment") if d["state"] != "Deleting"}
    foreign = standing.pop(FOREIGN, None)
    if foreign is None or foreign["model"]["name"] != "gpt-4.1-mini":
        raise Violation("I9", "somebody else's deployment was changed or deleted")
    owners = {_owner(deployment): name for name, deployment in standing.items()}
    succeeded = {
        run_id
        for run_id, record in world.watch.records.items()
        if record.outcome is Outcome.SUCCEEDED
    }
    if alone := sorted(set(owners) - succeeded):
        raise Violation("I2", f"deployments outlive their runs: {alone}")
    if gone := sorted(succeeded - set(owners)):
        raise Violation("I2", f"runs succeeded, and their deployments are gone: {gone}")


def what_is_taken_back_is_gone(world: "Simulation") -> None:
    """I9: by the end of all runs no file and no job is left, and the ledger says the same.

    A deployment that could not be deleted in time is left to the sweep: the ledger and the report
    say so.
    """
    if left := [
        file["filename"] for file in world.provider.docs("file") if file["purpose"] == "fine-tune"
    ]:
        raise Violation("I9", f"files of ended runs are left at the service: {left}")
    if live := [
        record.id
        for job, record in jobs_of(world)
        if job["status"] not in {"succeeded", "failed", "cancelled"}
    ]:
        raise Violation("I9", f"jobs of ended runs still run: {live}")
    for record in world.watch.records.values():
        for name, effect in record.effects.items():
            stays = record.outcome is Outcome.SUCCEEDED and name in {"job", "deployment"}
            given_up = (
                record.ended_at
                and (record.ended_at - record.entered(Step.CLEAN_UP)).total_seconds()
                > AZURE.take_back_s
            )
            if effect.state != ("made" if stays else "removed") and not (
                given_up and name == "deployment"
            ):
                raise Violation(
                    "I9",
                    (
                        f"{record.id} ended {record.outcome} and says that its {name} is "
                        f"{effect.state}"
                    ),
                )


def everything_at_the_provider_is_known(world: "Simulation") -> None:
    """I9: each job is one that its run recorded, and nothing else that bears a run's mark
    is left.
    """
    for job, record in jobs_of(world):
        effect = record.effects.get("job")
        if effect is None or job["id"] not in {effect.id, *effect.others}:
            raise Violation("I9", f"{record.id} doesn't know its job")
    if left := unowned(world):
        raise Violation("I9", f"nobody owns {left}")


def unowned(world: "Simulation") -> list[str]:
    """Files, and deployments by their tag, of runs that have ended without keeping them."""
    records = world.watch.records
    files = [
        file["filename"] for file in world.provider.docs("file") if file["purpose"] == "fine-tune"
    ]
    deployments = [
        d["name"]
        for d in world.provider.docs("deployment")
        if d["name"] != FOREIGN and d["state"] != "Deleting"
    ]
    succeeded = {
        record.plan.deployment.name.lower()
        for record in records.values()
        if record.plan and record.outcome is Outcome.SUCCEEDED
    }
    return [*files, *(name for name in deployments if name.lower() not in succeeded)]


def everything_ended_with_a_report(world: "Simulation") -> None:
    """I3: no drop without a run, no run without an end, no end without a report."""
    if unheard := world.watch.unheard():
        raise Violation("I3", f"drops were never taken up: {unheard}")
    for record in world.watch.records.values():
        container, _, where = (record.report or "").partition("/")
        stands = (
            where == f"{record.drop.name}/{record.id}/report.html"
            and where in world.account.blobs(container)
        )
        if record.outcome is None or not stands:
            raise Violation(
                "I3",
                (
                    f"{record.id} has {record.outcome or 'not ended'}, and its report is "
                    f"{record.report}"
                ),
            )


def nothing_failed_by_faults_alone(world: "Simulation") -> None:
    """I0: where nothing at the provider ends badly by itself, nothing ends badly."""
    for record in world.watch.records.values():
        # Whoever stands still in the middle of a call for an hour leaves an intent that the next
        # ones wait for: this can use up a deadline.
        stood_still = (
            record.outcome is Outcome.EXPIRED and record.id in world.watch.frozen_in_a_call
        )
        doomed = world.doomed or record.drop.blob in world.watch.harmed or stood_still
        if record.outcome in {Outcome.FAILED, Outcome.EXPIRED} and not doomed and record.ending:
            raise Violation(
                "I0",
                (
                    f"{record.id} {record.outcome}: "
                    f"{record.ending.problem.message if record.ending.problem else ''}"
                ),
            )


def nothing_is_bought_without_a_budget(world: "Simulation") -> None:
    """I5: a budget of nothing buys nothing."""
    for _, record in jobs_of(world):
        if record.plan is None or record.plan.budget_usd == 0:
            raise Violation("I5", f"{record.id} has no budget, and bought a job")


def no_more_at_a_time_than_allowed(world: "Simulation") -> None:
    """I5: jobs that live at one moment, by the provider's clock."""
    first = {record.id: job for job, record in reversed(list(jobs_of(world)))}.values()
    turns = [(job["created"], 1) for job in first] + [
        (job["finished"], -1) for job in first if "finished" in job
    ]
    living = 0
    for _, change in sorted(turns):
        living += change
        if living > world.jobs_at_a_time:
            raise Violation("I5", f"{living} jobs lived at a time; {world.jobs_at_a_time} may")


def cancelled_is_cancelled(world: "Simulation") -> None:
    """I10: from the moment at which the cancel was accepted."""
    for run_id, at in world.watch.cancels.items():
        record = world.watch.records[run_id]
        if record.outcome is Outcome.SUCCEEDED:
            raise Violation("I10", f"the cancel of {run_id} was accepted, and it succeeded")
        for asked in world.provider.record:
            pace, late_s = record.pace or AZURE, asked.at - at.timestamp()
            takes_s = pace.upload_s if asked.operation == "files.create" else pace.call_s
            too_late = late_s > takes_s + ON_ITS_WAY_S
            late = too_late and run_id not in world.watch.frozen_in_a_call
            if (
                asked.committed
                and asked.operation in CREATING
                and run_id == (run_of_file(asked.about) or asked.about)
                and late
            ):
                raise Violation(
                    "I10",
                    f"{asked.operation} for {run_id} {late_s:.0f} s after its cancel was accepted",
                )


def own_bytes_are_trained_on(world: "Simulation") -> None:
    """I11: what was uploaded for training is the content that the drop's ETag stood for."""
    dropped = {
        run_id: hashlib.sha256(world.watch.uploads[record.drop.etag]).hexdigest()
        for run_id, record in world.watch.records.items()
    }
    for asked in world.provider.record:
        run_id = run_of_file(asked.about)
        if (
            asked.digest
            and run_id
            and asked.about.endswith("training_set.jsonl")
            and asked.digest != dropped[run_id]
        ):
            raise Violation("I11", f"{run_id} uploaded other bytes than its own")


def no_word_of_a_drop_elsewhere(world: "Simulation") -> None:
    """I8: not in the ledger, the reports, the histories or the logs; the canary stands in every row
    but the one that is asked.
    """
    word = CANARY.encode()
    for container in KEPT:
        if found := [
            name for name, blob in world.account.blobs(container).items() if word in blob.content
        ]:
            raise Violation("I8", f"text of a drop stands in {container}: {found}")
    if any(word in hub.said() for hosts in world.apps for hub in hosts.hubs) or any(
        CANARY in line for line in world.words.lines
    ):
        raise Violation("I8", "text of a drop stands in a history or a log")


def no_secret_of_a_service_elsewhere(world: "Simulation") -> None:
    """I8: what a service says is kept without its secrets, and cut."""
    said = [
        (name, blob.content)
        for container in KEPT
        for name, blob in world.account.blobs(container).items()
    ]
    said += [("a history", hub.said()) for hosts in world.apps for hub in hosts.hubs]
    said += [("a log", line.encode()) for line in world.words.lines]
    for secret in SECRETS:
        if found := [name for name, content in said if secret.encode() in content]:
            raise Violation("I8", f"a secret of a service stands in {found}")
    if long := [name for name, content in said if LONG in content]:
        raise Violation("I8", f"a text of a service stands uncut in {long}")


def own_names_are_own(world: "Simulation") -> None:
    """I14: no run is refused its own id as the name of its deployment."""
    for record in world.watch.records.values():
        own = record.plan is not None and record.plan.deployment.name == record.id
        problem = record.ending.problem if record.ending else None
        if own and problem and problem.code == "TD-GATE-005":
            raise Violation("I14", f"{record.id} was refused its own name: {problem.message}")


def jobs_of(world: "Simulation") -> Iterable[tuple[dict[str, Any], RunRecord]]:
    """Every job, the oldest first, with the record of its run."""
    for job in world.provider.docs("job"):
        record = world.watch.records.get(world.provider.run_of(job) or "")
        if record is None:
            raise Violation(
                "I9", f"a job was made for {job['suffix']}, which the ledger doesn't know"
            )
        yield job, record


def _owner(deployment: dict[str, Any]) -> str:
    tags: dict[str, str] = deployment["tags"] or {}
    return tags.get("tunedrop-run", str(deployment["name"]))
