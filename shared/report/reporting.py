"""From what is known of a run to its report: reads the ledger's record, the scans and the job's
results.
"""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.errors import PlanRejected, Problem
from shared.models.effect_kinds import DEPLOYMENT, JOB, EffectKind, kind_of, label_of
from shared.models.plan import Pin, Plan, Role
from shared.models.record import Effect, JobProgress, Outcome, RunRecord, Step
from shared.report import model as page
from shared.report import words
from shared.report.bins import bins_of
from shared.report.context import duplicate_part, smoke_part, stood_in
from shared.report.results_csv import ResultsUnreadable, parse_results
from shared.runs import hosting, scans, spending
from shared.runs.pinning import pinned, price_table
from shared.runs.result_files import kept_events, report_path, reports_of
from shared.services import storage
from shared.services.azure_openai import ENDED
from shared.settings import settings
from tunedrop_check import VERSION

if TYPE_CHECKING:
    from tunedrop_check.rules.findings import Finding
    from tunedrop_check.scan.file_result import FileScan

EVENTS_SHOWN = 8
NOT_REMOVED = "NOT removed: remove it by hand"
log = logging.getLogger("tunedrop")


def report_of(record: RunRecord) -> page.Report:
    """The report of a run whose ending is decided."""
    ending, plan = record.ending, record.plan
    outcome = ending.outcome if ending else Outcome.FAILED
    ended_at = record.ended_at or record.entered(Step.REPORT)
    cleaned_up = clean_up_of(record)
    left_behind = any(row.result == NOT_REMOVED for row in cleaned_up)
    return page.Report(
        run_id=record.id,
        name=record.drop.name,
        outcome=outcome.value,
        headline=words.headline(
            outcome.value,
            record.smoke.verdict if record.smoke else None,
            left_behind=left_behind,
            reuse=record.reuse_of is not None,
        ),
        problem=_problem(ending.problem) if ending and ending.problem else None,
        created_at=record.created_at,
        ended_at=ended_at,
        drop=_drop(record),
        settings=_settings(plan) if plan else None,
        clamped=list(plan.clamped) if plan else [],
        not_asked=list(record.not_asked),
        data=_data(record, plan) if plan else [],
        money=_money(record, plan),
        training=_training(record, plan) if plan else None,
        deployment=_deployment(record, plan) if plan else None,
        smoke_test=smoke_part(record, plan) if plan else None,
        clean_up=cleaned_up,
        reuse_of=record.reuse_of,
        duplicate_of=ending.duplicate_of if ending else None,
        duplicate=duplicate_part(record, plan),
        stand_in=stood_in(plan),
        tunedrop_version=VERSION,
        timeline=[
            page.TimelinePart(step=entered.step.value, at=entered.at) for entered in record.timeline
        ],
    )


def _problem(problem: Problem) -> page.Problem:
    fix = words.IN_A_REPORT.get(problem.code, problem.fix)
    return page.Problem(
        code=problem.code,
        message=problem.message,
        fix=fix,
        anchor=problem.anchor,
        request_id=problem.request_id,
    )


def _drop(record: RunRecord) -> page.DropPart:
    plan = record.plan
    if plan is None:
        blobs = [page.BlobPart(role="training", name=record.drop.blob, etag=record.drop.etag)]
    else:
        pins: dict[Any, Pin | None] = {
            "training": plan.training_file,
            "validation": plan.validation_file,
            "job": plan.job_file,
        }
        hashes = {role: summary.content_hash for role, summary in record.files.items()}
        blobs = [
            page.BlobPart(
                role=role,
                name=dropped.blob,
                bytes=dropped.bytes,
                etag=dropped.etag,
                content_hash=hashes.get(role),
            )
            for role, pin in pins.items()
            if pin and (dropped := pin.dropped)
        ]
    return page.DropPart(account=record.drop.account, container=record.drop.container, blobs=blobs)


def _settings(plan: Plan) -> page.SettingsPart:
    chosen = plan.training
    others = {
        "batch_size": chosen.batch_size,
        "learning_rate_multiplier": chosen.learning_rate_multiplier,
    }
    return page.SettingsPart(
        model=chosen.model,
        method=chosen.method,
        training_type=chosen.training_type or "not sent",
        seed=chosen.seed,
        suffix=plan.suffix,
        n_epochs=chosen.n_epochs,
        hyperparameters={name: value for name, value in others.items() if value is not None},
    )


def _data(record: RunRecord, plan: Plan) -> list[page.DataPart]:
    parts: list[page.DataPart] = []
    for role in plan.roles:
        pin, found = plan.file(role), scans.file_scan(record.id, role)
        if pin is not None and found is not None:
            parts.append(
                _data_part(pin, role, found, scans.options(plan, role).model.max_example_tokens)
            )
    return parts


def _data_part(pin: Pin, role: Role, found: "FileScan", limit: int) -> page.DataPart:
    return page.DataPart(
        role=role,
        name=pin.dropped.blob,
        bytes=pin.bytes,
        lines=found.lines,
        examples=found.examples,
        errors=found.errors,
        warnings=found.warnings,
        findings=[_finding(one) for one in found.findings],
        total=_tokens(found.total),
        assistant=_tokens(found.assistant),
        trained=_tokens(found.trained),
        over_limit=found.over_limit,
        max_example_tokens=limit,
        images=_images(found),
        histogram=bins_of(found.total.counts),
    )


def _finding(found: "Finding") -> page.FindingPart:
    return page.FindingPart(
        line=found.line,
        field=found.field,
        code=found.code,
        severity=found.severity,
        message=found.message,
        fix=found.fix,
        times=found.times,
        lines=list(found.lines),
    )


def _images(found: "FileScan") -> page.ImagesPart | None:
    images = found.images
    return (
        page.ImagesPart(images=images.images, assumed=images.assumed, tokens=images.tokens)
        if images.images
        else None
    )


def _tokens(histogram: Any) -> page.Tokens | None:
    found = histogram.distribution()
    if found is None:
        return None
    return page.Tokens(
        min=found.min,
        max=found.max,
        mean=found.mean,
        median=found.median,
        sum=found.sum,
        p5=found.p5,
        p95=found.p95,
    )


def _money(record: RunRecord, plan: Plan | None) -> page.MoneyPart:
    if plan is None:
        return page.MoneyPart(
            price_table_date=_table_date(), training_usd=0.0, training_is_estimate=False
        )
    prices, worst, spend = (
        pinned(plan).prices,
        record.worst_case,
        spending.training_spend(record, plan),
    )
    hourly = prices.hosting_usd_per_hour if stands(record) else 0.0
    return page.MoneyPart(
        training_usd=spend.usd,
        training_is_estimate=spend.is_estimate,
        billed_tokens=spend.billed_tokens,
        billed_by_service=spend.is_told,
        epochs=spend.epochs,
        usd_per_million_tokens=spend.usd_per_million_tokens,
        second_jobs=spending.second_jobs(record),
        second_jobs_usd_at_most=spending.second_jobs_usd(record) or None,
        worst_case_usd=worst.usd if worst else None,
        training_usd_at_most=worst.training_usd if worst else None,
        hosting_usd_at_most=worst.hosting_usd if worst else None,
        tokens_at_most=worst.tokens if worst else None,
        epochs_at_most=worst.epochs if worst else None,
        price_table_date=prices.as_of,
        training_price_date=prices.training_as_of,
        training_price_is_assumed=prices.training_is_assumed,
        deployment_usd_per_hour=hourly,
        deployment_usd_per_month=hourly * hosting.HOURS_PER_MONTH if hourly is not None else None,
        remove_command=_remove_command(plan) if stands(record) else None,
    )


def _table_date() -> str:
    """The date of the price table."""
    try:
        return price_table(settings()).as_of.isoformat()
    except PlanRejected:
        # A table that can't be read is the run's problem, and keeps no report from being written.
        return "unknown"


def stands(record: RunRecord) -> bool:
    """Whether a deployment of this run stands, for all that the ledger knows."""
    found = record.effects.get(DEPLOYMENT.named())
    return found is not None and found.state != "removed"


def _remove_command(plan: Plan) -> str:
    parts = pinned(plan).account.id.strip("/").split("/")
    group, account = (parts[3], parts[7]) if len(parts) == 8 else ("<group>", "<account>")
    return (
        f"az cognitiveservices account deployment delete --resource-group {group} --name {account} "
        f"--deployment-name {plan.deployment.name}"
    )


def _training(record: RunRecord, plan: Plan) -> page.TrainingPart | None:
    job, effect = record.job, record.effects.get(JOB.named())
    if job is None or effect is None or effect.id is None:
        return None
    return page.TrainingPart(
        job_id=effect.id,
        status=_last_status(job, effect),
        base_model=plan.training.model,
        fine_tuned_model=job.fine_tuned_model,
        trained_tokens=job.trained_tokens,
        started_at=_instant(job.created_at),
        finished_at=_instant(job.finished_at),
        curve=_curve(record),
        last_events=_events(record),
    )


def _last_status(job: JobProgress, effect: Effect) -> str:
    # What became of it after the look before its cancel is not asked.
    if effect.state == "removed" and job.status not in ENDED:
        return f"{job.status} at the last look; then cancelled, unless it had ended by itself"
    return job.status


def _instant(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _curve(record: RunRecord) -> list[page.CurvePoint]:
    """The loss curve of results.csv."""
    stored = reports_of(record).read(report_path(record, "results.csv"), storage.RESULTS_BYTES)
    if stored is not None:
        try:
            return parse_results(stored.content)
        except ResultsUnreadable:
            log.warning("results.csv could not be read", extra={"run": record.id})
    # A job that ended early has no results.csv, but its events tell some of it.
    metrics = [e["metrics"] for e in kept_events(record) if "train_loss" in e["metrics"]]
    return [
        page.CurvePoint(
            step=int(m.get("step", 0)),
            train_loss=m["train_loss"],
            valid_loss=m.get("valid_loss"),
            full_valid_loss=m.get("full_valid_loss"),
        )
        for m in metrics
    ]


def _events(record: RunRecord) -> list[str]:
    return [e["message"] for e in kept_events(record) if not e["metrics"]][-EVENTS_SHOWN:]


def _deployment(record: RunRecord, plan: Plan) -> page.DeploymentPart | None:
    effect = record.effects.get(DEPLOYMENT.named())
    if effect is None:
        return None
    model = record.job.fine_tuned_model if record.job else None
    proven = record.ending is not None and record.ending.outcome is Outcome.SUCCEEDED
    return page.DeploymentPart(
        name=plan.deployment.name,
        model=model or "unknown",
        sku=plan.deployment.sku,
        capacity=plan.deployment.capacity,
        state="now belongs to somebody else"
        if effect.lost
        else "deleted"
        if effect.state == "removed"
        else "Succeeded"
        if proven
        else "unknown",
        stands=stands(record),
    )


def clean_up_of(record: RunRecord) -> list[page.CleanUpPart]:
    """What the run took back, and what it could not: that stays, and may cost."""
    undone = record.ending is not None and record.ending.outcome.undoes
    rows: list[page.CleanUpPart] = []
    for name, effect in sorted(record.effects.items()):
        kind, label = kind_of(name), label_of(name)
        if undone or kind.after_success == "goes":
            result = _result(kind, effect)
            rows.append(page.CleanUpPart(what=label, id=effect.id or "unknown", result=result))
        rows += [
            page.CleanUpPart(what=f"second {label}", id=other, result=kind.taken_back)
            for other in effect.others
        ]
    return rows


def _result(kind: EffectKind, effect: Effect) -> str:
    if effect.state != "removed":
        return NOT_REMOVED
    if effect.id is None:
        return "was never created"
    return "now belongs to somebody else: not changed" if effect.lost else kind.taken_back
