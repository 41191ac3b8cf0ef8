"""`tunedrop check`: validate and count here, with no service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from shared.models.drop import JOB_FILE, TRAINING_SET, VALIDATION_SET
from tunedrop.cli.findings import finding_line
from tunedrop.cli.naming import role_of
from tunedrop.cli.options import AsJson
from tunedrop.cli.output import ERRORS, NOT_SUCCEEDED, Trouble, document, out, visible

if TYPE_CHECKING:
    from shared.dataset.models import BaseModel
    from shared.dataset.results import FileScan
    from shared.dataset.statistics import Histogram

DEFAULT_MODEL = "gpt-4.1-mini-2025-04-14"
FIGURES = ("min", "max", "mean", "median", "sum")


def check(
    paths: Annotated[list[Path], typer.Argument(help="JSONL files, or folders of a drop.")],
    model: Annotated[
        str | None, typer.Option("--model", help=f"Base model: it decides encoding and limit. Default: job.json's, else {DEFAULT_MODEL}.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 where there are warnings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Validate chat examples and count their tokens. Exit code 2 where a file has errors."""
    scanned = [_scanned(file, model or _model_beside(file)) for path in paths for file in _files(path)]
    files = [_told(path, found) for path, found in scanned]
    if as_json:
        document({"files": files})
    else:
        _print(files)
    if any(file["errors"] for file in files):
        raise typer.Exit(ERRORS)
    if strict and any(file["warnings"] for file in files):
        raise typer.Exit(NOT_SUCCEEDED)


def _files(path: Path) -> list[Path]:
    """The file itself; of a folder, the two that a drop has, or else every .jsonl file."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Trouble(f"There is no file {path}.")
    found = [file for name in (TRAINING_SET, VALIDATION_SET) if (file := path / name).is_file()] or sorted(path.glob("*.jsonl"))
    if not found:
        raise Trouble(f"There is no .jsonl file in {path}.")
    return found


def _model_beside(file: Path) -> str:
    """The model that the job.json beside a file asks for, else the default one."""
    job = file.with_name(JOB_FILE)
    if not job.is_file():
        return DEFAULT_MODEL
    from shared import planning  # pydantic-settings, 0.1 s: only where there is a job.json to read
    from shared.errors import PlanRejected

    try:
        return planning.parsed(job.read_bytes()).model or DEFAULT_MODEL
    except PlanRejected as rejected:
        raise Trouble(f"{job}: {rejected.problem.message} {rejected.problem.mend}") from None


def _scanned(path: Path, model: str) -> "tuple[Path, FileScan]":
    from shared.dataset import scan  # numpy and tiktoken, 0.2 s: only for this command

    try:
        return path, scan.scan_file(path, scan.ScanOptions(model=_base(model), role=role_of(path)))
    except OSError as error:
        raise Trouble(f"{path} can't be read: {error.strerror or type(error).__name__}.") from None


def _base(model: str) -> "BaseModel":
    from shared.dataset import models  # as above

    try:
        return models.base_model(model)
    except models.UnknownModel as unknown:
        raise Trouble(str(unknown)) from None


def _told(path: Path, found: "FileScan") -> dict[str, Any]:
    names = ("line", "field", "code", "message", "mend", "severity")
    return {
        "path": str(path),
        "examples": found.examples,
        "errors": found.errors,
        "warnings": found.warnings,
        "findings": [{name: getattr(finding, name) for name in names} for finding in found.findings],
        "tokens": {"total": _figures(found.total), "assistant": _figures(found.assistant)},
    }


def _figures(histogram: "Histogram") -> dict[str, float] | None:
    found = histogram.distribution()
    return {name: getattr(found, name) for name in FIGURES} if found else None


def _print(files: list[dict[str, Any]]) -> None:
    for file in files:
        for finding in file["findings"]:
            out.print(finding_line(file["path"], finding))
        for kind in ("error", "warning"):
            shown = sum(finding["severity"] == kind for finding in file["findings"])
            if file[f"{kind}s"] > shown:
                out.print(f"[dim]the first {shown} of {file[f'{kind}s']:,} {kind}s[/]")
    table = Table("file", "examples", "errors", "warnings", "tokens", "min", "max", "mean", "median", "assistant tokens", box=None)
    for file in files:
        total, assistant = file["tokens"]["total"], file["tokens"]["assistant"]
        counts = [f"{file[name]:,}" for name in ("examples", "errors", "warnings")]
        figures = (
            [f"{total[name]:,.10g}" for name in ("sum", "min", "max")] + [f"{total[name]:,.1f}" for name in ("mean", "median")]
            if total
            else ["-"] * 5
        )
        table.add_row(visible(file["path"]), *counts, *figures, f"{assistant['sum']:,.10g}" if assistant else "-")
    out.print(table)
