"""What must hold in every world, by the provider's record: the invariants I0 to I11.

| | holds | checked |
| --- | --- | --- |
| I0 | no run fails by faults alone, no activity crashes, no story breaks | here and in watch.py |
| I1 | one job a run, one at a time and one success for the same content; no creating call is repeated by a client | here |
| I1 | no claim forgets who holds it, and nobody waits for a run that ended badly without a job | watch.py |
| I2 | a deployment outlives its run only where the run succeeded, and then it does | here |
| I3 | every drop ends, with a report, in bounded time | here and in simulation.py |
| I4 | what is live was proven | no promotion yet |
| I5 | nothing is bought without a budget for it, nor more at a time than the wallet allows | here |
| I6 | an ending never changes, a step never goes back, a story ends as the ledger says | watch.py |
| I7 | a replay says the same, and a generation leaves no timer behind | watch.py |
| I8 | text of a drop stands nowhere but in the drop; the row that the smoke test asks in record and report, too | here |
| I9 | what stands at the provider is known to its run, what a run took back is gone, what is somebody else's is left alone | here |
| I10 | after an accepted cancel nothing is made, and the run does not succeed | here |
| I11 | a run trains on exactly the bytes that began it | here |
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.models.record import Outcome, RunRecord
from tests.faults.simulator.drops import CANARY, FOREIGN
from tests.faults.simulator.provider import CREATING
from tests.faults.simulator.watch import Violation

if TYPE_CHECKING:
    from tests.faults.simulator.simulation import Simulation

CALL_MOST_S = 60.0 + 25.0
"""A creating call that was sent before the cancel may be committed so much later."""
UPLOAD_MOST_S = 900.0 + 25.0


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
    ]
    for invariant in invariants:
        invariant(world)


def one_job_a_run(world: "Simulation") -> None:
    """I1: by the provider's own record of what it made."""
    made = Counter(asked.about for asked in world.provider.record if asked.operation == "fine_tuning.jobs.create" and asked.committed)
    if more := {run_id: count for run_id, count in made.items() if count > 1}:
        raise Violation("I1", f"more than one job was made: {more}")


def one_purchase_for_one_content(world: "Simulation") -> None:
    """I1: of the runs that don't ask for a retrain."""
    by_content: dict[str, list[dict[str, Any]]] = {}
    for job, record in _jobs(world):
        if record.plan and not record.plan.retrain:
            hashes = [record.files[role].content_hash for role in record.plan.roles]
            by_content.setdefault("\n".join([*hashes, record.plan.training.model_dump_json()]), []).append(job)
    for jobs in by_content.values():
        names = [job["suffix"] for job in jobs]
        if sum(world.watch.records[name].outcome is Outcome.SUCCEEDED for name in names) > 1:
            raise Violation("I1", f"the same content was bought twice: {names}")
        spans = sorted((job["created"], job.get("finished", float("inf")), job["suffix"]) for job in jobs)
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
    succeeded = {run_id for run_id, record in world.watch.records.items() if record.outcome is Outcome.SUCCEEDED}
    if alone := sorted(set(owners) - succeeded):
        raise Violation("I2", f"deployments outlive their runs: {alone}")
    if gone := sorted(succeeded - set(owners)):
        raise Violation("I2", f"runs succeeded, and their deployments are gone: {gone}")


def what_is_taken_back_is_gone(world: "Simulation") -> None:
    """I9: by the end of all runs no file and no job is left, and the ledger says the same."""
    if left := [file["filename"] for file in world.provider.docs("file") if file["purpose"] == "fine-tune"]:
        raise Violation("I9", f"files of ended runs are left at the service: {left}")
    if live := [job["suffix"] for job, _ in _jobs(world) if job["status"] not in {"succeeded", "failed", "cancelled"}]:
        raise Violation("I9", f"jobs of ended runs still run: {live}")
    for record in world.watch.records.values():
        for name, effect in record.effects.items():
            stays = record.outcome is Outcome.SUCCEEDED and name in {"job", "deployment"}
            if effect.state != ("made" if stays else "removed"):
                raise Violation("I9", f"{record.id} ended {record.outcome} and says that its {name} is {effect.state}")


def everything_at_the_provider_is_known(world: "Simulation") -> None:
    """I9: each job is the one that its run recorded."""
    for job, record in _jobs(world):
        effect = record.effects.get("job")
        if effect is None or effect.id != job["id"]:
            raise Violation("I9", f"{record.id} doesn't know its job")


def everything_ended_with_a_report(world: "Simulation") -> None:
    """I3: no drop without a run, no run without an end, no end without a report."""
    if unheard := world.watch.unheard():
        raise Violation("I3", f"drops were never taken up: {unheard}")
    reports = world.account.blobs("reports")
    for record in world.watch.records.values():
        where = f"{record.drop.name}/{record.id}/report.html"
        if record.outcome is None or where not in reports or record.report != f"reports/{where}":
            raise Violation("I3", f"{record.id} has {record.outcome or 'not ended'}, and its report is {record.report}")


def nothing_failed_by_faults_alone(world: "Simulation") -> None:
    """I0: where nothing at the provider ends badly by itself, nothing ends badly."""
    for record in world.watch.records.values():
        if record.outcome in {Outcome.FAILED, Outcome.EXPIRED} and not world.doomed and record.ending:
            raise Violation("I0", f"{record.id} {record.outcome}: {record.ending.problem.message if record.ending.problem else ''}")


def nothing_is_bought_without_a_budget(world: "Simulation") -> None:
    """I5: a budget of nothing buys nothing."""
    for _, record in _jobs(world):
        if record.plan is None or record.plan.budget_usd == 0:
            raise Violation("I5", f"{record.id} has no budget, and bought a job")


def no_more_at_a_time_than_allowed(world: "Simulation") -> None:
    """I5: jobs that live at one moment, by the provider's clock."""
    turns = [(job["created"], 1) for job, _ in _jobs(world)] + [(job["finished"], -1) for job, _ in _jobs(world) if "finished" in job]
    living = 0
    for _, change in sorted(turns):
        living += change
        if living > world.jobs_at_a_time:
            raise Violation("I5", f"{living} jobs lived at a time; {world.jobs_at_a_time} may")


def cancelled_is_cancelled(world: "Simulation") -> None:
    """I10: from the moment at which the cancel was accepted."""
    for run_id, at in world.watch.cancels.items():
        if world.watch.records[run_id].outcome is Outcome.SUCCEEDED:
            raise Violation("I10", f"the cancel of {run_id} was accepted, and it succeeded")
        for asked in world.provider.record:
            late_s, most_s = asked.at - at.timestamp(), UPLOAD_MOST_S if asked.operation == "files.create" else CALL_MOST_S
            if asked.committed and asked.operation in CREATING and run_id in asked.about and late_s > most_s:
                raise Violation("I10", f"{asked.operation} for {run_id} {late_s:.0f} s after its cancel was accepted")


def own_bytes_are_trained_on(world: "Simulation") -> None:
    """I11: what was uploaded for training is the content that the drop's ETag stood for."""
    dropped = {run_id: hashlib.sha256(world.watch.uploads[record.drop.etag]).hexdigest() for run_id, record in world.watch.records.items()}
    for asked in world.provider.record:
        run_id = next((run_id for run_id in dropped if asked.about.startswith(run_id)), None)
        if asked.digest and run_id and asked.about.endswith("training_set.jsonl") and asked.digest != dropped[run_id]:
            raise Violation("I11", f"{run_id} uploaded other bytes than its own")


def no_word_of_a_drop_elsewhere(world: "Simulation") -> None:
    """I8: not in the ledger, the reports, the histories or the logs; the canary stands in every row but the one that is asked."""
    word = CANARY.encode()
    for container in ("tunedrop", "reports"):
        if found := [name for name, blob in world.account.blobs(container).items() if word in blob.content]:
            raise Violation("I8", f"text of a drop stands in {container}: {found}")
    if any(word in hub.said() for hub in world.hosts.hubs) or any(CANARY in line for line in world.words.lines):
        raise Violation("I8", "text of a drop stands in a history or a log")


def _jobs(world: "Simulation") -> Iterable[tuple[dict[str, Any], RunRecord]]:
    for job in world.provider.docs("job"):
        record = world.watch.records.get(job["suffix"])
        if record is None:
            raise Violation("I9", f"a job was made for {job['suffix']}, which the ledger doesn't know")
        yield job, record


def _owner(deployment: dict[str, Any]) -> str:
    tags: dict[str, str] = deployment["tags"] or {}
    return tags.get("tunedrop-run", str(deployment["name"]))
