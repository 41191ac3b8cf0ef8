"""Sample reports, one for each outcome, with figures of a believable run; the pictures in the
documentation are made from them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import exp, sin
from pathlib import Path
from typing import Any

from shared.report import model
from shared.report.bins import bins_of
from shared.report.render import to_html

START = datetime(2026, 11, 24, 9, 12, 4, tzinfo=UTC)
ACCOUNT = "tunedropdata"
REMOVE = (
    "az cognitiveservices account deployment delete --resource-group travel --name travel-openai "
    "--deployment-name travel-desk-5b1f09c2"
)


def at(seconds: float) -> datetime:
    """An instant of the sample run, in seconds after its start."""
    return START + timedelta(seconds=seconds)


def a_report(**changes: Any) -> model.Report:
    """The smallest valid report, with the changes given."""
    facts: dict[str, Any] = {
        "run_id": "travel-desk-5b1f09c2",
        "name": "travel-desk",
        "outcome": "failed",
        "headline": "The run ended.",
        "tunedrop_version": "0.1.0",
        "created_at": START,
        "ended_at": at(200),
        "drop": model.DropPart(account=ACCOUNT, container="training"),
        "money": model.MoneyPart(
            training_usd=0.0, training_is_estimate=False, price_table_date="2026-11-24"
        ),
    }
    return model.Report(**(facts | changes))


def a_data_part(**changes: Any) -> model.DataPart:
    """The training file of the sample run: 320 examples, most of them short."""
    counts: dict[int, int] = {}
    for i in range(320):
        value = 62 + int(
            38 * (1.5 + sin(i * 12.9898)) * (1 + (i % 17 == 0) * 1.3) * (1 + (i % 5) / 9)
        )
        counts[value] = counts.get(value, 0) + 1
    facts: dict[str, Any] = {
        "role": "training",
        "name": "travel-desk/training_set.jsonl",
        "bytes": 318_402,
        "lines": 320,
        "examples": 320,
        "errors": 0,
        "warnings": 0,
        "total": tokens(counts),
        "assistant": model.Tokens(min=14, max=118, mean=46.3, median=44, sum=14_816, p5=19, p95=87),
        "trained": model.Tokens(min=9, max=118, mean=44.1, median=42, sum=14_112, p5=16, p95=85),
        "max_example_tokens": 65_536,
        "histogram": bins_of(counts),
    }
    return model.DataPart(**(facts | changes))


def tokens(counts: dict[int, int]) -> model.Tokens:
    """Distribution of sample counts, by nearest rank."""
    values = sorted(value for value, count in counts.items() for _ in range(count))
    middle = values[len(values) // 2]
    mean = round(sum(values) / len(values), 1)
    low, high = values[len(values) // 20], values[len(values) * 19 // 20]
    return model.Tokens(
        min=values[0], max=values[-1], mean=mean, median=middle, sum=sum(values), p5=low, p95=high
    )


def a_curve(steps: int = 96, every: int = 8) -> list[model.CurvePoint]:
    """Losses that fall as those of a small job do, with a validation every few steps."""
    points: list[model.CurvePoint] = []
    for step in range(1, steps + 1):
        loss = 0.46 + 1.9 * exp(-step / 19) + 0.09 * sin(step * 2.3) * exp(-step / 80)
        valid = (
            round(0.58 + 1.75 * exp(-step / 21) + 0.0006 * step, 4) if step % every == 0 else None
        )
        points.append(model.CurvePoint(step=step, train_loss=round(loss, 4), valid_loss=valid))
    return points


def settings() -> model.SettingsPart:
    """What the sample run asked for."""
    return model.SettingsPart(
        model="gpt-4.1-mini-2025-04-14",
        method="supervised",
        training_type="GlobalStandard",
        seed=105,
        suffix="travel-desk-5b1f09c2",
        n_epochs=3,
        hyperparameters={"batch_size": 10, "learning_rate_multiplier": 0.1},
    )


def drop() -> model.DropPart:
    """The blobs of the sample drop."""
    training = model.BlobPart(
        role="training",
        name="travel-desk/training_set.jsonl",
        bytes=318_402,
        etag="0x8DD2F0A11B7C9E2",
        sha256="9f2c4be07d1f6a53c8e0b97a4d21f3860b5e7c19a2d48f63e1907bc45d8a2f16",
        content_hash="41c07e9ab2563fd81e90c7a4b5d2f8603c1e9a7f54b08d62e3f1a9c7d5b40e28",
    )
    job = model.BlobPart(
        role="job", name="travel-desk/job.json", bytes=412, etag="0x8DD2F0A1209D311"
    )
    return model.DropPart(account=ACCOUNT, container="training", blobs=[training, job])


def a_training(**changes: Any) -> model.TrainingPart:
    """The sample job, succeeded."""
    facts: dict[str, Any] = {
        "job_id": "ftjob-6f0c2a9d41b84e5c9a7730dce1158b42",
        "status": "succeeded",
        "base_model": "gpt-4.1-mini-2025-04-14",
        "fine_tuned_model": "gpt-4.1-mini-2025-04-14.ft-6f0c2a9d41b84e5c-travel-desk-5b1f09c2",
        "trained_tokens": 148_293,
        "started_at": at(61),
        "finished_at": at(4_027),
        "curve": a_curve(),
        "last_events": [
            "Step 96: training loss=0.4712",
            "Job succeeded.",
            "Model Evaluation Passed.",
            "Completed results file: file-2d9b1c7e5f0a4c63b8e41f97a0d35c86",
            "Training tokens billed: 132000",
        ],
    }
    return model.TrainingPart(**(facts | changes))


def a_succeeded() -> model.Report:
    """A run that ended with a deployment that answers."""
    return a_report(
        outcome="succeeded",
        headline="travel-desk is trained, deployed and answers as expected.",
        ended_at=at(4_561),
        drop=drop(),
        settings=settings(),
        clamped=["The capacity of 200 was lowered to 50, the most that this app allows."],
        data=[
            a_data_part(
                warnings=1,
                findings=[a_finding(212, "/messages/2/content", "TD-DATA-041", "warning")],
            ),
        ],
        money=model.MoneyPart(
            training_usd=0.66,
            billed_tokens=132_000,
            billed_by_service=True,
            epochs=3,
            usd_per_million_tokens=5.0,
            worst_case_usd=4.25,
            training_usd_at_most=0.85,
            hosting_usd_at_most=3.4,
            tokens_at_most=56_204,
            epochs_at_most=3,
            price_table_date="2026-11-24",
            deployment_usd_per_hour=1.70,
            deployment_usd_per_month=1_224.0,
            remove_command=REMOVE,
        ),
        training=a_training(),
        deployment=model.DeploymentPart(
            name="travel-desk-5b1f09c2",
            model="gpt-4.1-mini-2025-04-14.ft-6f0c2a9d41b84e5c-travel-desk-5b1f09c2",
            sku="GlobalStandard",
            capacity=50,
            state="Succeeded",
            stands=True,
        ),
        smoke_test=model.SmokePart(
            verdict="passed",
            messages=[
                model.MessagePart(
                    role="system",
                    content=(
                        "You are the travel desk of a mid-sized company. Be brief and concrete."
                    ),
                ),
                model.MessagePart(
                    role="user",
                    content=(
                        "My train to Zürich is cancelled and I have a meeting at 2 pm. What now?"
                    ),
                ),
            ],
            answer=(
                "Take the 10:32 via Basel; it arrives at 12:58 and your ticket is valid on it.\n"
                "If that one is full, book the 11:05 and tell me: I will move the meeting room "
                "to 2:30."
            ),
            attempts=2,
            expectation="holds ticket",
            wanted=["ticket"],
            row_of="validation",
            row_line=3,
            known_answer="Take the 10:32 via Basel; your ticket is valid on it.",
            words_in_common=0.9,
        ),
        clean_up=[
            model.CleanUpPart(
                what="training file", id="file-0b7d5ce2f1a94b8f9f3f3a8c6e21d704", result="deleted"
            ),
            model.CleanUpPart(
                what="results file",
                id="file-2d9b1c7e5f0a4c63b8e41f97a0d35c86",
                result="kept in the report",
            ),
        ],
        timeline=a_timeline(
            ("settle", 0),
            ("scan", 6),
            ("gate", 9),
            ("upload", 11),
            ("train", 61),
            ("deploy", 4_031),
            ("smoke_test", 4_490),
            ("report", 4_558),
        ),
    )


def a_timeline(*steps: tuple[str, float]) -> list[model.TimelinePart]:
    """Steps with the seconds at which they began."""
    return [model.TimelinePart(step=step, at=at(seconds)) for step, seconds in steps]


FIXES = {
    "TD-DATA-011": (
        "The message has no role.",
        "Give each message one of system, user, assistant or tool.",
    ),
    "TD-DATA-014": (
        "The role is not one of those that the service knows.",
        "Use system, user, assistant or tool.",
    ),
    "TD-DATA-017": (
        "The example has no assistant message.",
        "End the example with the answer that the model shall learn.",
    ),
    "TD-DATA-002": (
        "The line is not JSON.",
        "Write one JSON object per line, without trailing commas.",
    ),
    "TD-DATA-030": (
        "The example has 71,204 tokens; the model accepts at most 65,536.",
        "Shorten or split the example.",
    ),
    "TD-DATA-811": (
        "Lines with e-mail addresses: 23.",
        "Replace them with addresses at example.com.",
    ),
    "TD-DATA-041": (
        "The content repeats that of line 17.",
        "Keep one of the two, unless the weight is meant.",
    ),
}


def a_finding(
    line: int | None, field: str, code: str, severity: str = "error", **more: Any
) -> model.FindingPart:
    """A finding with the sentence and the fix of its code."""
    message, fix = FIXES[code]
    return model.FindingPart.model_validate(
        {
            "line": line,
            "field": field,
            "code": code,
            "severity": severity,
            "message": message,
            "fix": fix,
            **more,
        }
    )


def a_rejected() -> model.Report:
    """A drop whose data can't be trained on, with more errors than are listed."""
    findings = [
        a_finding(3, "", "TD-DATA-002"),
        a_finding(17, "/messages/1", "TD-DATA-011"),
        a_finding(17, "/messages", "TD-DATA-017"),
        a_finding(88, "/messages/0/role", "TD-DATA-014"),
        a_finding(1_204, "", "TD-DATA-030"),
        a_finding(212, "/messages/2/content", "TD-DATA-041", "warning"),
        a_finding(31, "", "TD-DATA-811", "warning", times=23, lines=[31, 32, *range(1_040, 1_058)]),
    ]
    return a_report(
        outcome="rejected",
        headline="1,234 faults in the training data; nothing was bought.",
        ended_at=at(14),
        problem=model.Problem(
            code="TD-DATA-100",
            message="1,234 examples of the training file can't be used.",
            fix="Correct the lines below and drop the file again.",
            anchor="data-formats.md#td-data-100",
        ),
        drop=drop(),
        settings=settings(),
        data=[
            a_data_part(
                lines=4_120,
                examples=2_886,
                errors=1_234,
                warnings=2,
                findings=findings,
                findings_shown_limit=5,
                over_limit=1,
                images=model.ImagesPart(images=40, assumed=12, tokens=21_990),
            )
        ],
        timeline=a_timeline(("settle", 0), ("scan", 6), ("gate", 13), ("report", 14)),
    )


def a_failed() -> model.Report:
    """A job that the service gave up, after which everything was taken back."""
    return a_report(
        outcome="failed",
        headline="The service ended the training job with an error; everything was taken back.",
        ended_at=at(2_903),
        problem=model.Problem(
            code="TD-SVC-009",
            message=(
                "The job failed in the service: the training data was refused by its safety check."
            ),
            fix=(
                "Look for violent, hateful, sexual or self-harm content in the training file, "
                "remove it and drop the file again."
            ),
            anchor="troubleshooting.md#td-svc-009",
            request_id="6b7e1b0c-2f43-4b6b-9d7e-2f8f4a3f0c11",
        ),
        drop=drop(),
        settings=settings(),
        data=[a_data_part()],
        training=a_training(
            status="failed",
            fine_tuned_model=None,
            trained_tokens=None,
            finished_at=at(2_880),
            curve=[],
            last_events=[
                "Job enqueued. Waiting for jobs ahead to complete.",
                "Job started.",
                "Preprocessing started.",
            ],
        ),
        clean_up=[
            model.CleanUpPart(
                what="training file", id="file-0b7d5ce2f1a94b8f9f3f3a8c6e21d704", result="deleted"
            )
        ],
        timeline=a_timeline(
            ("settle", 0),
            ("scan", 6),
            ("gate", 9),
            ("upload", 11),
            ("train", 61),
            ("clean_up", 2_890),
            ("report", 2_902),
        ),
    )


def a_wrong_answer() -> model.Report:
    """A model that was trained and whose answer was not the wanted one, on a machine
    without Azure.
    """
    smoke = a_succeeded().smoke_test
    assert smoke is not None
    return a_failed().model_copy(
        update={
            "headline": (
                "The model is trained, but did not give the expected answer; the deployment "
                "was cleaned up."
            ),
            "problem": model.Problem(
                code="TD-PROOF-001",
                message="The answer of the new deployment does not hold what the smoke test wants.",
                fix=(
                    "Look at the answer below; then change the data, or what `smoke_test.expect` "
                    "wants."
                ),
                anchor="docs/errors.md#td-proof-001",
            ),
            "stand_in": True,
            "training": a_training(),
            "smoke_test": smoke.model_copy(
                update={"verdict": "failed", "wanted": ["ticket", "refund"], "missing": ["refund"]}
            ),
        }
    )


def a_duplicate() -> model.Report:
    """A drop whose content another run has already bought."""
    return a_report(
        outcome="duplicate",
        headline="This content is already trained; nothing was bought.",
        ended_at=at(11),
        drop=drop(),
        settings=settings(),
        data=[a_data_part()],
        duplicate_of="travel-desk-0c41aa97",
        duplicate=model.DuplicatePart(
            run_id="travel-desk-0c41aa97",
            model="gpt-4.1-mini-2025-04-14.ft-0c41aa97b84e5c9a-travel-desk-0c41aa97",
            deployment="travel-desk-0c41aa97",
            stands=True,
            differences=["deployment.capacity: this drop asks for 50, the other has 10."],
        ),
        timeline=a_timeline(("settle", 0), ("scan", 6), ("gate", 10), ("report", 11)),
    )


def _ended(outcome: str, headline: str, message: str, fix: str) -> model.Report:
    problem = model.Problem(
        code="TD-RUN-001", message=message, fix=fix, anchor=f"outcomes.md#{outcome}"
    )
    return a_report(
        outcome=outcome,
        headline=headline,
        problem=problem,
        drop=drop(),
        settings=settings(),
        data=[a_data_part()],
    )


def a_not_better() -> model.Report:
    """A model that did not beat what is live."""
    return _ended(
        "not_better",
        "The tuned model is not better than the one that is live.",
        "It scored 0.71 where the live model scored 0.74.",
        "Add examples of the questions that it got wrong.",
    )


def a_cancelled() -> model.Report:
    """A run that a person ended."""
    return _ended(
        "cancelled",
        "The run was cancelled while it trained.",
        "A person cancelled the run.",
        "Drop the file again.",
    )


def an_expired() -> model.Report:
    """A run that waited too long."""
    return _ended(
        "expired",
        "Nobody approved the run in time.",
        "The approval was open for 24 h.",
        "Drop the file again.",
    )


def a_superseded() -> model.Report:
    """A drop that was rewritten while it was read."""
    return _ended(
        "superseded",
        "The drop was rewritten while it was read.",
        "A newer upload took its place.",
        "Look at the newer run.",
    )


SAMPLES: dict[str, Callable[[], model.Report]] = {
    "succeeded": a_succeeded,
    "rejected": a_rejected,
    "failed": a_failed,
    "duplicate": a_duplicate,
    "not_better": a_not_better,
    "cancelled": a_cancelled,
    "expired": an_expired,
    "superseded": a_superseded,
}


def write_samples(folder: Path) -> list[Path]:
    """Writes the page of each sample into the folder, and tells where."""
    folder.mkdir(parents=True, exist_ok=True)
    pages: list[Path] = []
    for name, build in SAMPLES.items():
        page = folder / f"{name}.html"
        page.write_text(to_html(build()), encoding="utf-8")
        pages.append(page)
    return pages
