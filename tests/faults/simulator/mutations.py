"""Known bugs, put in one at a time: each must be caught by the invariants, or the invariants are
worth nothing.

A mutation swaps a dependency for the length of one simulation; the app has no switch for it. Its
docstring says what the bug is, its name is what `--mutation` takes.
"""

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import azure.functions as func
import grpc
import openai

from activities import begin_ending, claim_content, create_job, job_status, preflight
from orchestrators import run, steps
from orchestrators.names import WAKE, instances_of
from shared.errors import OutcomeUnknown, ServiceRejected
from shared.models.effect_kinds import TakeBack, to_take_back
from shared.models.messages import Answer, done
from shared.models.record import Effect, Ending, Outcome, RunRecord, WorstCase
from shared.runs import effects, gate, ledger, wallet
from shared.runs.claims import Claim
from shared.runs.effects import Making, OfOneEffect
from shared.runs.ledger import Ledger, open_ledger
from shared.runs.records import Records
from shared.runs.wallet import Waiting, Wallet
from shared.services import azure_openai, storage
from shared.services.azure_openai import AzureOpenAI, JobFacts, JobOrder
from shared.services.openai_facts import job_of
from shared.services.storage import Container
from tests.builders import done_with
from tests.faults.simulator import app
from tests.faults.simulator.app import swapped
from tests.faults.simulator.found_bugs import FOUND
from tests.faults.simulator.stage import START
from triggers import drops, runs, starting, sweep

type Swap = tuple[Any, str, Any]


def _always(value: Any) -> Callable[..., Any]:
    def answer(*_given: Any, **_more: Any) -> Any:
        return value

    return answer


@contextmanager
def mutated(name: str) -> Generator[None]:
    """For this long the app has this bug."""
    with ExitStack() as stack:
        for owner, attribute, other in MUTATIONS[name]():
            stack.enter_context(swapped(owner, attribute, other))
        yield


class Retrying(openai.OpenAI):
    """A client that won't be told to send a call once."""

    def with_options(self, **given: Any) -> openai.OpenAI:  # pyright: ignore[reportIncompatibleVariableOverride]  # an alias of copy
        """Everything but the number of retries."""
        return self.copy(**{name: value for name, value in given.items() if name != "max_retries"})


@cache
def _retrying(_endpoint: str, _api_version: str | None = None) -> AzureOpenAI:
    client = Retrying(
        api_key="stand-in",
        base_url=f"{app.BASE}/openai/v1/",
        timeout=30,
        http_client=app.http_on_the_wire(),
    )
    return AzureOpenAI(client, None)


def client_retries() -> list[Swap]:
    """The openai client repeats creating calls by itself."""
    return [(azure_openai, "connect", _retrying)]


def claim_removed() -> list[Swap]:
    """Whoever starts a run writes its record anew."""
    claim = Records.claim

    def claim_always(self: Records, record: RunRecord) -> bool:
        if not claim(self, record):
            self.change(record.id, lambda _record, _now: record)
        return True

    return [(Records, "claim", claim_always)]


def claim_after_start() -> list[Swap]:
    """The orchestration is scheduled first, and the run claimed then."""
    start_once = starting.start_once

    def start_then_claim(client: Any, ledger: Ledger, drop: Any, job_settings: Any = None) -> bool:
        starting.schedule(client, drop.run_id, None)
        time.sleep(2)
        return start_once(client, ledger, drop, job_settings)

    return [(module, "start_once", start_then_claim) for module in (drops, runs, sweep)]


def swap_without_condition() -> list[Swap]:
    """A write of the ledger does not ask whether somebody else wrote meanwhile."""
    swap = Container.swap

    def write(
        self: Container,
        blob: str,
        content: bytes,
        etag: str,
        *more: Any,
    ) -> bool:
        facts = self.facts(blob)
        return swap(self, blob, content, facts.etag if facts else etag, *more)

    return [(Container, "swap", write)]


def etag_not_pinned() -> list[Swap]:
    """A drop is read as it is by now."""
    chunks = Container.chunks

    def chunks_of_now(self: Container, blob: str, etag: str, start: int, stop: int) -> Any:
        facts = self.facts(blob)
        return chunks(self, blob, facts.etag if facts else etag, start, stop)

    return [(Container, "chunks", chunks_of_now)]


def delete_refuses_404() -> list[Swap]:
    """A file that is gone already can't be deleted."""
    delete = AzureOpenAI.delete_file

    def delete_what_is_there(self: AzureOpenAI, file_id: str) -> None:
        if self.file(file_id) is None:
            raise ServiceRejected("Azure OpenAI", 404, "notFound", "there is no such file")
        delete(self, file_id)

    return [(AzureOpenAI, "delete_file", delete_what_is_there)]


def timer_left_unfired() -> list[Swap]:
    """A wait makes its timer, and goes on without it."""

    def sleep(self: steps.Story, seconds: float) -> steps.Steps[None]:
        self.context.create_timer(steps.timedelta(seconds=seconds))
        yield self.context.create_timer(steps.timedelta(seconds=1))

    return [(steps.Story, "sleep", sleep)]


def wait_without_the_clock_of_the_history() -> list[Swap]:
    """A wait draws its length anew in each replay."""
    sleep = steps.Story.sleep
    anew = random.Random(0)  # noqa: S311  the bug is the point, and a world shows it each time

    def sleep_about(self: steps.Story, seconds: float) -> steps.Steps[None]:
        return sleep(self, seconds + anew.random())

    return [(steps.Story, "sleep", sleep_about)]


class _Never(Exception):
    """Is never raised."""


def unknown_is_failure() -> list[Swap]:
    """A creating call without an answer counts as one that made nothing."""
    return [(effects, "OutcomeUnknown", _Never)]


def lag_ignored() -> list[Swap]:
    """What a listing doesn't show isn't there."""
    return [(OfOneEffect, "hidden_until", _always(datetime.min.replace(tzinfo=UTC)))]


def intent_not_written() -> list[Swap]:
    """Creating calls are sent without a word in the ledger."""
    return [(Making, "_intend", _always(Effect(state="intended", holder="nobody", at=START)))]


def intent_never_ages() -> list[Swap]:
    """A call gets its whole time, however old its intent is."""
    act = Making._act  # pyright: ignore[reportPrivateUsage]

    def act_in_full_time(self: Making, _left_s: float, until: datetime | None) -> Answer:
        return act(self, self.takes_s, until)

    return [(Making, "_act", act_in_full_time)]


def create_sent_twice() -> list[Swap]:
    """A creation without an answer is sent once more, at once."""
    create = AzureOpenAI.create_job

    def create_again(self: AzureOpenAI, order: JobOrder, timeout_s: float) -> JobFacts:
        try:
            return create(self, order, timeout_s)
        except OutcomeUnknown:
            return create(self, order, timeout_s)

    return [(AzureOpenAI, "create_job", create_again)]


def cancel_only_as_event() -> list[Swap]:
    """A cancel wakes the orchestration, and stands nowhere."""

    def cancel_run(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        run_id = req.route_params["id"]
        if open_ledger().get(run_id).record.ending:
            return func.HttpResponse(status_code=409)
        for instance in instances_of(run_id):
            try:
                client.raise_orchestration_event(instance, WAKE)
            except grpc.RpcError:
                continue
        return func.HttpResponse(status_code=202)

    return [(app.functions(), "cancel_run", cancel_run)]


def compensation_skipped() -> list[Swap]:
    """A run that ends badly leaves its job and its deployment."""

    take_back = run.take_back

    def take_back_files(story: steps.Story, one: TakeBack) -> steps.Steps[None]:
        if one.role:
            yield from take_back(story, one)

    return [(run, "take_back", take_back_files)]


def success_deletes_deployment() -> list[Swap]:
    """A run that ends well is undone like any other."""
    always = to_take_back(Outcome.FAILED, ("training",))
    return [(begin_ending, "to_take_back", _always(always))]


def ending_written_late() -> list[Swap]:
    """The ending is written when all has been taken back."""
    decided: dict[str, Ending] = {}
    begin, end = app.functions()["begin_ending"], app.functions()["end_run"]

    def begin_ending(request: dict[str, Any]) -> dict[str, Any]:
        record = open_ledger().get(request["run_id"]).record
        if record.ending:
            return begin(request=request)
        decided[record.id] = Ending(outcome=request["outcome"])
        roles = list(record.plan.roles) if record.plan else []
        return done_with(outcome=request["outcome"], roles=roles).model_dump(
            mode="json", exclude_none=True
        )

    def end_run(request: dict[str, Any]) -> dict[str, Any]:
        if request["run_id"] in decided:
            begin(request={**request, "outcome": decided[request["run_id"]].outcome.value})
        return end(request=request)

    return [(app.functions(), "begin_ending", begin_ending), (app.functions(), "end_run", end_run)]


def adopts_any_job() -> list[Swap]:
    """A run takes the newest job for its own."""

    def jobs_of_file(self: AzureOpenAI, _training_file: str) -> list[JobFacts]:
        return [job_of(told) for told in self._jobs()]  # pyright: ignore[reportPrivateUsage]

    return [(AzureOpenAI, "jobs_of_file", jobs_of_file)]


def content_let_go_early() -> list[Swap]:
    """A living run does not keep its content from others."""

    def keeps(record: RunRecord) -> bool:
        return record.outcome is Outcome.SUCCEEDED

    return [(claim_content, "keeps", keeps)]


NOTHING = WorstCase(usd=0, training_usd=0, hosting_usd=0, tokens=0, epochs=0)


def claim_falls_back_to_nobody() -> list[Swap]:
    """Who takes a content by force is the only one that its claim knows."""

    def held(holders: list[str], _others: list[RunRecord]) -> Claim:
        return Claim(run_id=holders[0])

    return [(ledger, "held", held)]


def claim_kept_without_a_job() -> list[Swap]:
    """A run that ended badly keeps its content, though it has no job that could still train."""

    def keeps(record: RunRecord) -> bool:
        return record.outcome not in {Outcome.REJECTED, Outcome.DUPLICATE}

    return [(claim_content, "keeps", keeps)]


def story_decides_itself() -> list[Swap]:
    """The story goes on with the outcome that it asked for, and not with the one that the ledger
    has decided.
    """
    begin = app.functions()["begin_ending"]

    def begin_ending(request: dict[str, Any]) -> dict[str, Any]:
        answer = begin(request=request)
        return (
            {**answer, "value": {**answer["value"], "outcome": request["outcome"]}}
            if answer["kind"] == "done"
            else answer
        )

    return [(app.functions(), "begin_ending", begin_ending)]


def budget_ignored() -> list[Swap]:
    """The gate has no reason against any run."""
    return [(gate, "refusal", _always(None)), (preflight, "of_record", _always(NOTHING))]


def last_come_first_served() -> list[Swap]:
    """A place goes to the run that came last, or to whoever looks first."""
    line = Wallet.line

    def backwards(self: Wallet) -> list[tuple[str, Waiting]]:
        return line(self)[::-1]

    def nobody(*_given: Any) -> Iterator[Waiting]:
        return iter(())

    return [(Wallet, "line", backwards), (wallet, "ahead", nobody)]


def late_news_count() -> list[Swap]:
    """Whoever wrote last knows best how the job is."""
    return [(job_status, "later_of", lambda _known, heard: heard)]  # pyright: ignore[reportUnknownLambdaType]


def report_left_out() -> list[Swap]:
    """A report that could not be written is not written."""
    write = app.functions()["write_report"]

    def write_report(request: dict[str, Any]) -> dict[str, Any]:
        record = open_ledger().get(request["run_id"]).record
        succeeded = record.ending is not None and record.ending.outcome is Outcome.SUCCEEDED
        return write(request=request) if succeeded else done().model_dump(mode="json")

    return [(app.functions(), "write_report", write_report)]


def data_in_the_log() -> list[Swap]:
    """The job that is made is logged with the first lines of what it trains on."""
    order_of = create_job.order_of

    def order_and_log(record: RunRecord, plan: Any, training_file: str) -> Any:
        first = next(
            iter(
                storage.training().chunks(plan.training_file.blob, plan.training_file.etag, 0, 400)
            )
        )
        logging.getLogger("tunedrop").info("job of %s", first.decode(errors="replace"))
        return order_of(record, plan, training_file)

    return [(create_job, "order_of", order_and_log)]


def name_of(mutation: Callable[[], list[Swap]]) -> str:
    """What `--mutation` takes."""
    return mutation.__name__.replace("_", "-")


# Every known bug by its name.
MUTATIONS: dict[str, Callable[[], list[Swap]]] = {
    name_of(mutation): mutation
    for mutation in (
        client_retries,
        claim_removed,
        claim_after_start,
        swap_without_condition,
        etag_not_pinned,
        delete_refuses_404,
        timer_left_unfired,
        wait_without_the_clock_of_the_history,
        unknown_is_failure,
        lag_ignored,
        intent_not_written,
        intent_never_ages,
        create_sent_twice,
        cancel_only_as_event,
        compensation_skipped,
        success_deletes_deployment,
        ending_written_late,
        adopts_any_job,
        content_let_go_early,
        claim_falls_back_to_nobody,
        claim_kept_without_a_job,
        story_decides_itself,
        budget_ignored,
        last_come_first_served,
        late_news_count,
        report_left_out,
        data_in_the_log,
        *FOUND,
    )
}
