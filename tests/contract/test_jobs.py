"""Fine-tuning jobs, through the official clients on both surfaces."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.contract.descriptions import Judge
from tests.contract.standin import (
    BASE_MODEL,
    HOURS,
    StandIn,
    job,
    lines,
    processed,
    running,
    tuned_model,
    upload,
)
from tunedrop.emulator.openai.jobs import auto_epochs
from tunedrop.emulator.world import API_KEY
from tunedrop_check.counting import counters
from tunedrop_check.counting import tokens as recipe

KEY = {"api-key": API_KEY}


def test_job_goes_from_pending_over_running_to_succeeded(stand_in: StandIn) -> None:
    """A job waits, runs and succeeds; its numbers are -1 until it runs."""
    client = stand_in.azure()
    made = job(stand_in, client)
    assert (made.status, made.hyperparameters.n_epochs, made.hyperparameters.batch_size) == (
        "pending",
        -1,
        -1,
    )
    stand_in.advance(1500)
    running_ = client.fine_tuning.jobs.retrieve(made.id)
    assert (running_.status, running_.hyperparameters.n_epochs, running_.estimated_finish) == (
        "running",
        8,
        made.created_at + 3966,
    )
    stand_in.advance(3000)
    done = client.fine_tuning.jobs.retrieve(made.id)
    assert (done.status, done.finished_at) == ("succeeded", made.created_at + 3966)
    assert done.fine_tuned_model == f"{BASE_MODEL}.ft-{made.id.removeprefix('ftjob-')}"
    assert done.trained_tokens


def test_job_events_come_newest_first_in_the_published_order(stand_in: StandIn) -> None:
    """Events have the published texts and order, pages of 20, and metrics at every tenth step and
    each epoch's end.
    """
    client = stand_in.azure("2024-05-01-preview")
    files = [processed(stand_in, client, lines(10)), processed(stand_in, client, lines(10, "town"))]
    made = client.fine_tuning.jobs.create(
        model="gpt-35-turbo-0613", training_file=files[0], validation_file=files[1], seed=105
    )
    stand_in.advance()
    events = list(client.fine_tuning.jobs.list_events(made.id, limit=5))[::-1]
    done = client.fine_tuning.jobs.retrieve(made.id)
    assert [event.message for event in events if event.type == "message"] == [
        "Job enqueued. Waiting for jobs ahead to complete.",
        "Job started.",
        "Preprocessing started.",
        "Preprocessing completed for file training file.",
        "Preprocessing completed for file validation file.",
        "Training started.",
        "Job succeeded.",
        "Model Evaluation Passed.",
        f"Completed results file: {(done.result_files or [''])[0]}",
        "Training tokens billed: 4000",
    ]
    metrics: list[Any] = [event.data for event in events if event.type == "metrics"]
    assert [data["step"] for data in metrics] == list(range(10, 101, 10))
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)
    assert len(client.fine_tuning.jobs.list_events(made.id).data) == 20


def test_job_status_is_behind_its_events(stand_in: StandIn) -> None:
    """The event says succeeded long before the status does."""
    client = stand_in.v1()
    made = job(stand_in, client)
    stand_in.advance(0.8 * 3966)
    assert "Job succeeded." in [
        event.message for event in client.fine_tuning.jobs.list_events(made.id)
    ]
    assert client.fine_tuning.jobs.retrieve(made.id).status == "running"


def test_job_keeps_its_last_three_checkpoints(stand_in: StandIn) -> None:
    """Three checkpoints stay, newest first; the first of them is the model itself, with an id to
    deploy by.
    """
    client = stand_in.v1()
    made = job(stand_in, client, suffix="travel", hyperparameters={"n_epochs": 5, "batch_size": 4})
    assert client.fine_tuning.jobs.checkpoints.list(made.id).data == []
    stand_in.advance()
    found = client.fine_tuning.jobs.checkpoints.list(made.id).data
    model = client.fine_tuning.jobs.retrieve(made.id).fine_tuned_model
    assert [one.fine_tuned_model_checkpoint for one in found] == [
        model,
        f"{model}:ckpt-step-12",
        f"{model}:ckpt-step-9",
    ]
    assert [one.metrics.step for one in found] == [15.0, 12.0, 9.0]
    assert model is not None
    assert model.endswith("-travel")


def test_job_results_are_a_row_per_step(stand_in: StandIn) -> None:
    """results.csv has the documented columns, a row per step and true losses that fall."""
    client = stand_in.azure()
    made = job(stand_in, client)
    stand_in.advance()
    done = client.fine_tuning.jobs.retrieve(made.id)
    text = client.files.content((done.result_files or [""])[0]).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == [
        "step",
        "train_loss",
        "train_mean_token_accuracy",
        "valid_loss",
        "validation_mean_token_accuracy",
        "full_valid_loss",
        "full_valid_mean_token_accuracy",
    ]
    assert len(rows) == 12 * 8
    assert float(rows[-1]["train_loss"]) < 0.5 * float(rows[0]["train_loss"])
    assert rows[0]["valid_loss"] == ""


def test_job_is_billed_when_it_succeeds(stand_in: StandIn) -> None:
    """Tokens times epochs, rounded up to a thousand, times the price, once."""
    client = stand_in.v1()
    made = job(stand_in, client, lines(400))
    assert stand_in.entries("fine_tuning.jobs.billed") == []
    stand_in.advance()
    (entry,) = stand_in.entries("fine_tuning.jobs.billed")
    assert entry["id"] == made.id
    assert entry["billed_tokens"] % 1000 == 0
    assert entry["cost_usd"] == pytest.approx(entry["billed_tokens"] * 5 / 1e6)
    assert [one["cost_usd"] for one in stand_in.entries("fine_tuning.jobs.create")] == [0.0]


TUTORIAL = (
    Path(__file__).parents[1] / "unit" / "check" / "lab" / "training_set.jsonl"
).read_bytes()


@pytest.mark.parametrize(
    ("model", "tokens", "billed", "usd"),
    [
        (BASE_MODEL, 498, 5_000, 0.025),
        ("gpt-4.1-nano", 498, 5_000, 0.0075),
        ("gpt-35-turbo-0613", 521, 6_000, 0.048),
    ],
    ids=["o200k_base", "another price", "cl100k_base"],
)
def test_figures_of_a_job_agree(
    stand_in: StandIn, model: str, tokens: int, billed: int, usd: float
) -> None:
    """The tutorial's ten examples have the tokens that it prints; event, ledger, price and
    trained_tokens follow by fixed rules.
    """
    client = stand_in.v1()
    made = job(stand_in, client, TUTORIAL, model=model)
    stand_in.advance()
    (entry,) = stand_in.entries("fine_tuning.jobs.billed")
    assert [entry[name] for name in ("file_tokens", "epochs", "billed_tokens", "cost_usd")] == [
        tokens,
        10,
        billed,
        usd,
    ]
    assert f"Training tokens billed: {billed}" in [
        event.message for event in client.fine_tuning.jobs.list_events(made.id)
    ]
    assert client.fine_tuning.jobs.retrieve(made.id).trained_tokens == (tokens + 17 * 10) * 10


def test_job_on_a_file_with_tools_is_billed_for_its_declarations(stand_in: StandIn) -> None:
    """What the recipe leaves out, the service sees: a published job on such a file was billed about
    four times its recipe.
    """
    client = stand_in.v1()
    for data in (lines(), with_tools(lines())):
        job(stand_in, client, data)
    stand_in.advance()
    plain, declared = (
        entry["file_tokens"] for entry in stand_in.entries("fine_tuning.jobs.billed")
    )
    assert (
        declared
        == plain
        + 12 * counters.counter("o200k_base").count([recipe.compact_json({"tools": TOOLS})])[0]
    )
    assert declared > 3 * plain


TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": f"book_{thing}",
            "description": (
                f"Books a {thing} for an employee, after the policy of the company was looked at."
            ),
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "nights": {"type": "integer"}},
            },
        },
    }
    for thing in ("hotel", "train", "flight")
]


def with_tools(data: bytes) -> bytes:
    """The same examples, each with declarations of three tools."""
    return b"\n".join(
        json.dumps({**json.loads(line), "tools": TOOLS}).encode() for line in data.splitlines()
    )


@pytest.mark.parametrize(
    ("training_type", "share"),
    [("Standard", 1.0), ("globalStandard", 0.8), ("developerTier", 0.4), (1, 0.8)],
    ids=str,
)
def test_job_costs_by_its_training_type(
    stand_in: StandIn, training_type: str | int, share: float
) -> None:
    """trainingType is taken in any case and spelling, and decides the price."""
    job(stand_in, stand_in.v1(), extra_body={"trainingType": training_type})
    stand_in.advance()
    (entry,) = stand_in.entries("fine_tuning.jobs.billed")
    assert entry["cost_usd"] == pytest.approx(entry["billed_tokens"] * 5 * share / 1e6)


def test_jobs_run_three_at_once_and_the_others_wait(stand_in: StandIn) -> None:
    """Of ten jobs three run; the next starts when one ends, and all are done in four rounds."""
    client = stand_in.v1()
    file = processed(stand_in, client)
    made = [
        client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file).id for _ in range(10)
    ]
    stand_in.advance(0.5 * 3966)
    states = [client.fine_tuning.jobs.retrieve(one).status for one in made]
    assert states == ["running"] * 3 + ["pending"] * 7
    stand_in.advance(3.1 * 3966)
    finished = [client.fine_tuning.jobs.retrieve(one).finished_at or 0 for one in made]
    start = client.fine_tuning.jobs.retrieve(made[0]).created_at
    assert [round((at - start) / 3966, 2) for at in finished] == [1.0] * 3 + [1.85] * 3 + [
        2.7
    ] * 3 + [3.55]


def test_developer_jobs_have_slots_of_their_own(stand_in: StandIn) -> None:
    """Five developer jobs run beside three others."""
    client = stand_in.v1()
    file = processed(stand_in, client)
    for kind in ["Standard"] * 4 + ["developerTier"] * 6:
        client.fine_tuning.jobs.create(
            model=BASE_MODEL, training_file=file, extra_body={"trainingType": kind}
        )
    stand_in.advance(2000)
    states = [one.status for one in client.fine_tuning.jobs.list()]
    assert (states.count("running"), states.count("pending")) == (8, 2)


def test_job_list_is_newest_first_and_paged(stand_in: StandIn) -> None:
    """Jobs come newest first, in pages that `after` continues."""
    client = stand_in.azure()
    file = processed(stand_in, client)
    made = [
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file).id for _ in range(3)
    ]
    assert [one.id for one in client.fine_tuning.jobs.list(limit=2)] == made[::-1]
    assert client.fine_tuning.jobs.list(limit=2).has_more


def test_job_is_cancelled_unbilled_while_it_waits(stand_in: StandIn) -> None:
    """A waiting job that is cancelled costs nothing; cancelling it again is refused."""
    client = stand_in.azure()
    made = job(stand_in, client)
    assert client.fine_tuning.jobs.cancel(made.id).status == "cancelled"
    assert [one["cost_usd"] for one in stand_in.entries("fine_tuning.jobs.billed")] == [0.0]
    with pytest.raises(openai.ConflictError):
        client.fine_tuning.jobs.cancel(made.id)


def test_job_cancelled_in_training_is_billed_for_the_work_done(stand_in: StandIn) -> None:
    """Half of the training costs half."""
    client = stand_in.v1()
    made = job(stand_in, client, lines(500))
    stand_in.advance(0.45 * 3966)
    client.fine_tuning.jobs.cancel(made.id)
    whole = job(stand_in, client, lines(500))
    stand_in.advance()
    half, full = (one["billed_tokens"] for one in stand_in.entries("fine_tuning.jobs.billed"))
    assert half == pytest.approx(full / 2, abs=1000)
    assert client.fine_tuning.jobs.retrieve(whole.id).status == "succeeded"


def test_job_pauses_and_resumes_where_it_was(stand_in: StandIn) -> None:
    """A paused job stands still and then does the rest of its way, no more."""
    client = stand_in.v1()
    made = job(stand_in, client)
    with pytest.raises(openai.ConflictError):
        client.fine_tuning.jobs.pause(made.id)
    stand_in.advance(0.5 * 3966)
    assert client.fine_tuning.jobs.pause(made.id).status == "paused"
    stand_in.advance(10 * HOURS)
    assert client.fine_tuning.jobs.retrieve(made.id).status == "paused"
    client.fine_tuning.jobs.resume(made.id)
    stand_in.advance(0.49 * 3966)
    assert client.fine_tuning.jobs.retrieve(made.id).status == "running"
    stand_in.advance(0.02 * 3966)
    assert client.fine_tuning.jobs.retrieve(made.id).status == "succeeded"


def test_job_is_refused_while_its_file_is_pending(stand_in: StandIn) -> None:
    """An unprocessed file is unexpectedEntityState, and nothing is created."""
    client = stand_in.azure()
    with pytest.raises(openai.ConflictError) as refused:
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file=upload(client).id)
    assert refused.value.code == "unexpectedEntityState"
    assert client.fine_tuning.jobs.list().data == []


def test_job_may_start_from_a_former_result(stand_in: StandIn) -> None:
    """A fine-tuned model is a base for the next one."""
    client = stand_in.v1()
    former = tuned_model(stand_in, client)
    assert job(stand_in, client, model=former).model == former


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"model": "gpt-9"}, "does not support fine-tuning", id="unknown model"),
        pytest.param({"suffix": "a.b"}, "suffix", id="dot in suffix"),
        pytest.param({"suffix": "a" * 41}, "suffix", id="long suffix"),
        pytest.param({"seed": -1}, "seed", id="seed"),
        pytest.param({"hyperparameters": {"n_epochs": 51}}, "n_epochs", id="epochs"),
        pytest.param(
            {"hyperparameters": {"learning_rate_multiplier": 0}},
            "learning_rate_multiplier",
            id="multiplier",
        ),
        pytest.param(
            {"extra_body": {"hyperparameters": {"warmup": 1}}},
            "warmup",
            id="unknown hyperparameter",
        ),
        pytest.param({"extra_body": {"colour": 1}}, "colour", id="unknown field"),
        pytest.param({"extra_body": {"trainingType": "spot"}}, "trainingType", id="training type"),
        pytest.param(
            {"method": {"type": "reinforcement"}}, "not supported for this model", id="method"
        ),
        pytest.param({"training_file": "file-1"}, "training_file", id="no such file"),
        pytest.param(
            {"validation_file": "file-1"}, "validation_file", id="no such validation file"
        ),
    ],
)
def test_job_is_refused_when_its_body_is_wrong(
    stand_in: StandIn, options: dict[str, Any], words: str
) -> None:
    """Wrong bodies are 400s that name the field."""
    client = stand_in.v1()
    with pytest.raises(openai.BadRequestError, match=words):
        job(stand_in, client, **options)
    assert stand_in.entries("fine_tuning.jobs.create")[0]["committed"] is False


@pytest.mark.parametrize("version", ["2024-05-01-preview", "2024-08-01-preview", "2024-10-21"])
@pytest.mark.parametrize(
    "field",
    [{"trainingType": "Standard"}, {"method": {"type": "supervised"}}],
    ids=lambda field: next(iter(field)),
)
def test_job_fields_are_unknown_before_their_version(
    stand_in: StandIn, version: str, field: dict[str, Any]
) -> None:
    """method and trainingType came with 2025-04-01-preview."""
    with pytest.raises(openai.BadRequestError, match="Unknown in the body"):
        job(stand_in, stand_in.azure(version), extra_body=field)
    assert job(stand_in, stand_in.azure("2025-04-01-preview"), extra_body=field).status == "pending"


def test_job_takes_preferences_when_the_method_is_dpo(stand_in: StandIn) -> None:
    """Direct preference optimisation trains on preferred answers."""
    data = b"\n".join(
        b'{"input": {"messages": [{"role": "user", "content": "say %d"}]}, "preferred_output": '
        b'[{"role": "assistant", "content": "%d!"}], '
        b'"non_preferred_output": [{"role": "assistant", "content": "no"}]}' % (number, number)
        for number in range(10)
    )
    client = stand_in.v1()
    made = job(
        stand_in,
        client,
        data,
        method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": "auto"}}},
    )
    stand_in.advance()
    assert client.fine_tuning.jobs.retrieve(made.id).status == "succeeded"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param({"examples_min": 13}, "12 examples; at least 13", id="examples"),
        pytest.param({"jobs_max": 1}, "maximum of 1 fine-tuning jobs", id="jobs"),
        pytest.param({"jobs_queued_max": 1}, "maximum of 1 queued", id="queue"),
        pytest.param({"job_tokens_max": 100}, "exceed 100", id="tokens"),
    ],
)
def test_job_is_refused_beyond_a_limit(judge: Judge, limits: dict[str, int], words: str) -> None:
    """Examples, jobs, queue and tokens are limited."""
    with running(judge, limits=limits) as stand_in:
        client = stand_in.azure()
        file = processed(stand_in, client)
        asked = {"model": "gpt-4.1", "training_file": file}
        answers = [
            stand_in.plain.post(
                f"{stand_in.base}/openai/v1/fine_tuning/jobs", json=asked, headers=KEY
            )
            for _ in range(2)
        ]
        assert answers[-1].status_code in (400, 429)
        assert words in answers[-1].json()["error"]["message"]


def test_ended_job_can_be_deleted_on_the_api_version_surface(stand_in: StandIn) -> None:
    """Deleting an ended job makes room; a living one is refused."""
    client = stand_in.azure()
    made = job(stand_in, client)
    with pytest.raises(openai.ConflictError):
        client.delete(f"/fine_tuning/jobs/{made.id}", cast_to=object)
    stand_in.advance()
    client.delete(f"/fine_tuning/jobs/{made.id}", cast_to=object)
    assert client.fine_tuning.jobs.list().data == []


def test_job_fails_when_its_file_is_deleted_before_it_runs(stand_in: StandIn) -> None:
    """Without its file a waiting job fails, unbilled."""
    client = stand_in.v1()
    made = job(stand_in, client)
    client.files.delete(made.training_file)
    stand_in.advance()
    found = client.fine_tuning.jobs.retrieve(made.id)
    assert (found.status, found.error.code if found.error else None) == (
        "failed",
        "invalidTrainingFile",
    )


def test_training_repeats_itself_to_the_byte_when_seeded(stand_in: StandIn) -> None:
    """Same data and seed, same curve."""
    client = stand_in.v1()
    results: list[str] = []
    for seed in (105, 105, 106):
        made = job(stand_in, client, seed=seed)
        stand_in.advance()
        done = client.fine_tuning.jobs.retrieve(made.id)
        results.append(client.files.content((done.result_files or [""])[0]).text)
    assert results[0] == results[1]
    assert results[0] != results[2]


@pytest.mark.parametrize(
    ("examples", "epochs"), [(10, 10), (12, 8), (50, 3), (499, 3), (500, 2), (4, 25), (1, 25)]
)
def test_epochs_follow_the_number_of_examples(examples: int, epochs: int) -> None:
    """Few examples are seen more often."""
    assert auto_epochs(examples) == epochs
