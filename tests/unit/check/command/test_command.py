"""The command `tunedrop-check`: arguments, what they do, and the sentence where they can't be
followed.
"""

import json
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import patience
from tests.unit.check.command.builders import BAD_ROLE, NO_SYSTEM, a_file, run
from tunedrop_check import VERSION, CannotCheck, check
from tunedrop_check.command import entry, examples
from tunedrop_check.counting import pricing
from tunedrop_check.counting.money import amount
from tunedrop_check.rules import format_rules

ROOT = Path(__file__).parents[4]
FIGURES = {"min", "max", "mean", "median", "sum", "p5", "p95", "histogram"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good file, one with a warning and one with an error, as the current one."""
    monkeypatch.chdir(tmp_path)
    a_file(tmp_path / "good.jsonl")
    a_file(tmp_path / "warned.jsonl", a_training_set("w") + NO_SYSTEM)
    a_file(tmp_path / "bad.jsonl", a_training_set("b") + BAD_ROLE)
    a_file(tmp_path / "few.jsonl", a_training_set("f", 2))
    return tmp_path


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["good.jsonl"], 0, id="clean"),
        pytest.param(["good.jsonl", "--strict"], 0, id="clean, strictly"),
        pytest.param(["warned.jsonl"], 0, id="a warning"),
        pytest.param(["warned.jsonl", "--strict"], 1, id="a warning, strictly"),
        pytest.param(["bad.jsonl"], 2, id="an error"),
        pytest.param(["--strict", "bad.jsonl", "warned.jsonl"], 2, id="an error and a warning"),
        pytest.param(["good.jsonl", "bad.jsonl"], 2, id="an error in one of two"),
        pytest.param(["few.jsonl"], 2, id="too few to train on"),
        pytest.param(["few.jsonl", "--role", "validation"], 0, id="enough to validate on"),
        pytest.param(
            ["good.jsonl", "--role", "training", "--model", "gpt-4o"], 0, id="for another model"
        ),
    ],
)
@pytest.mark.usefixtures("here")
def test_exit_code_tells_the_worst(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, form: str
) -> None:
    """0 clean, 1 warnings under --strict, 2 errors, in whatever form it is told; stderr stays
    empty.
    """
    answer = run(capsys, *arguments, "--format", form)
    assert (answer.code, answer.err) == (code, "")
    assert answer.out != ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            [], "Name the files to check. See tunedrop-check --help.", id="nothing to check"
        ),
        pytest.param(["none.jsonl"], "There is no file none.jsonl.", id="no file"),
        pytest.param(
            ["a\x1b]0;b.jsonl"], "There is no file a⟦U+001B⟧]0;b.jsonl.", id="a hostile name"
        ),
        pytest.param(
            ["good.jsonl", "--model", "gpt-9"],
            "The base model is not known; the nearest known one is",
            id="no such model",
        ),
        pytest.param(
            ["good.jsonl", "--format", "xml"],
            "Argument --format: invalid choice: 'xml'",
            id="no such form",
        ),
        pytest.param(
            ["good.jsonl", "--role", "test"],
            "Argument --role: invalid choice: 'test'",
            id="no such role",
        ),
        pytest.param(
            ["good.jsonl", "--strickt"],
            "Unrecognized arguments: --strickt. See tunedrop-check --help.",
            id="no such option",
        ),
        pytest.param(
            ["good.jsonl", "--strict=1"],
            "Argument --strict: ignored explicit argument '1'",
            id="a value too many",
        ),
        pytest.param(
            ["good.jsonl", "--model"],
            "Argument --model: expected one argument.",
            id="a value too few",
        ),
        pytest.param(
            ["good.jsonl", "--prices", "none.json"],
            "none.json can't be read: No such file or directory.",
            id="no prices",
        ),
        pytest.param(
            ["good.jsonl", "--prices", "bad.jsonl"],
            "bad.jsonl: The file is not a price table: ",
            id="no price table",
        ),
        pytest.param(
            ["--explain", "TD-DATA-999"],
            "There is no rule with this code; the nearest one is TD-DATA-009",
            id="no such code",
        ),
        pytest.param(
            ["--explain", "\u202e"],
            "There is no rule with this code; the nearest one is TD-DATA-",
            id="a hostile code",
        ),
        pytest.param(
            ["--explain", ""],
            "There is no rule with this code; the nearest one is TD-DATA-",
            id="an empty code",
        ),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_can_not_be_done_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """On stderr, with exit code 2 and nothing on stdout."""
    answer = run(capsys, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {sentence}")


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        pytest.param(b"{", "job.json isn't JSON, or", id="not JSON"),
        pytest.param(b'{"model": 5}', "job.json isn't JSON, or its model", id="model is no text"),
        pytest.param(
            b'{"hyperparameters": {"n_epochs": 0}}',
            "job.json isn't JSON, or its model",
            id="no epochs",
        ),
        pytest.param(b'{"model": "gpt-9"}', "The base model is not known", id="unknown model"),
    ],
)
@pytest.mark.usefixtures("here")
def test_broken_job_file_ends_the_check(
    capsys: pytest.CaptureFixture[str], job: bytes, sentence: str
) -> None:
    """What is checked for would be a guess."""
    a_file(Path("job.json"), job)
    answer = run(capsys, "good.jsonl")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {sentence}")


@pytest.mark.usefixtures("here")
def test_document_has_the_names_that_scripts_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the documented form, with further ones beside them."""
    [file] = run(capsys, "bad.jsonl", "--json").files
    assert set(file) >= {
        "path",
        "examples",
        "errors",
        "warnings",
        "findings",
        "tokens",
        "messages",
        "cost",
        "over_limit",
    }
    assert [set(figures) for figures in file["tokens"].values() if figures] == [FIGURES] * len(
        [f for f in file["tokens"].values() if f]
    )
    assert {"total", "assistant"} <= set(file["tokens"])
    assert set(file["findings"][0]) >= {
        "file",
        "line",
        "field",
        "code",
        "message",
        "fix",
        "severity",
    }
    assert (file["path"], file["examples"], file["errors"]) == (
        "bad.jsonl",
        13,
        sum(f["severity"] == "error" for f in file["findings"]),
    )


@pytest.mark.usefixtures("here")
def test_histogram_holds_every_example(capsys: pytest.CaptureFixture[str]) -> None:
    """Its bins touch, and their counts are the examples."""
    [file] = run(capsys, "good.jsonl", "--json").files
    bins = file["tokens"]["total"]["histogram"]
    assert sum(found["count"] for found in bins) == 12
    assert [found["low"] for found in bins[1:]] == [found["high"] + 1 for found in bins[:-1]]


def test_bin_of_one_length_is_told_as_one_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two bars, named 13 and 14, not 13-13 and 14-14."""
    longer = NO_SYSTEM.replace(b'"u"', b'"u u"')
    out = run(capsys, a_file(tmp_path / "same.jsonl", NO_SYSTEM * 6 + longer * 6)).out
    assert [line.split()[0] for line in out.splitlines() if "█" in line] == ["13", "14"]


@pytest.mark.usefixtures("here")
def test_cost_follows_from_tokens_epochs_and_prices(capsys: pytest.CaptureFixture[str]) -> None:
    """The service would choose 8 epochs for 12 examples; the price names the date of its table."""
    [file] = run(capsys, "good.jsonl", "--json").files
    billed = pricing.billed_tokens(file["tokens"]["total"]["sum"], 8)
    assert file["cost"] == {
        "epochs": 8,
        "epochs_chosen_by": "service",
        "billed_tokens": billed,
        "billed_tokens_at_most": billed,
        "training_type": "GlobalStandard",
        "usd": pytest.approx(billed * 5 / 1e6),
        "usd_at_most": pytest.approx(billed * 5 / 1e6),
        "usd_per_million_tokens": 5.0,
        "prices_as_of": pricing.prices().as_of.isoformat(),
        "is_estimate": True,
    }


def test_what_is_estimated_stands_beside_the_count_and_the_price(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tokens of tools and of other fields apart, the sum of all, and what it costs at most; silent
    where nothing is estimated.
    """
    tool = {
        "type": "function",
        "function": {"name": "f", "description": "Looks up the timetable. " * 2000},
    }
    lines = [
        json.loads(line) | {"tools": [tool], "metadata": {"shift": number}}
        for number, line in enumerate(a_training_set("t").splitlines())
    ]
    file = a_file(
        tmp_path / "tools.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode()
    )
    [told] = run(capsys, file, "--json").files
    bound, cost = told["at_most"], told["cost"]
    assert bound["tokens"] == sum(
        bound[part] for part in ("counted", "declared", "other", "images", "uncounted")
    )
    assert (bound["counted"], bound["declared"] > 12 * 8000, bound["other"] >= 12 * 5) == (
        told["tokens"]["total"]["sum"],
        True,
        True,
    )
    assert cost["usd_at_most"] == pytest.approx(pricing.billed_tokens(bound["tokens"], 8) * 5 / 1e6)
    out = run(capsys, file).out
    assert (
        f"at most     {bound['tokens']:,} tokens  {bound['counted']:,} counted; an estimate: "
        f"{bound['declared']:,} for tools and formats"
    ) in out
    assert f"at most {amount(cost['usd_at_most'])} USD" in out
    assert "at most" not in run(capsys, a_file(tmp_path / "good.jsonl")).out


@pytest.mark.usefixtures("here")
def test_job_file_and_price_table_of_ones_own_are_followed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Epochs and training type of job.json, prices and date of the file."""
    a_file(
        Path("job.json"),
        b'{"hyperparameters": {"n_epochs": 2}, "training_type": "Developer", "unknown": 1}',
    )
    prices = {
        "training_usd_per_million_tokens": {"gpt-4.1-mini": 100},
        "training_type_factor": {"developertier": 0.5},
    }
    a_file(
        Path("prices.json"),
        json.dumps({"as_of": "2027-01-31", **prices, "hosting_usd_per_hour": {}}).encode(),
    )
    [file] = run(capsys, "good.jsonl", "--json", "--prices", "prices.json").files
    told = {
        name: file["cost"][name]
        for name in ("epochs", "epochs_chosen_by", "usd_per_million_tokens", "prices_as_of")
    }
    assert told == {
        "epochs": 2,
        "epochs_chosen_by": "job.json",
        "usd_per_million_tokens": 50,
        "prices_as_of": "2027-01-31",
    }
    assert (
        "prices of 2027-01-31, an estimate"
        in run(capsys, "good.jsonl", "--prices", "prices.json").out
    )


@pytest.mark.parametrize(
    ("arguments", "price"),
    [
        pytest.param(["--role", "validation"], "free", id="validation costs nothing"),
        pytest.param(["--model", "gpt-35-turbo-0125"], "unknown", id="no price is known"),
    ],
)
@pytest.mark.usefixtures("here")
def test_price_is_absent_where_there_is_none(
    capsys: pytest.CaptureFixture[str], arguments: list[str], price: str
) -> None:
    """Never zero, and never a guess."""
    [file] = run(capsys, "good.jsonl", "--json", *arguments).files
    assert (file["cost"] is None) == (price == "free")
    assert file["cost"] is None or file["cost"]["usd"] is None
    assert ("price       not known" in run(capsys, "good.jsonl", *arguments).out) == (
        price == "unknown"
    )


@pytest.mark.usefixtures("here")
def test_over_the_limit_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Each example of more tokens than the model takes."""
    long = {
        "messages": [
            {"role": "user", "content": "word " * 5000},
            {"role": "assistant", "content": "a"},
        ]
    }
    a_file(Path("long.jsonl"), a_training_set("l") + json.dumps(long).encode())
    [file] = run(capsys, "long.jsonl", "--json", "--model", "gpt-35-turbo-0613").files
    assert (file["over_limit"], file["max_example_tokens"]) == (1, 4096)


@pytest.mark.parametrize("code", ["TD-DATA-103", "td-data-103", "103", " 103 "])
def test_rule_is_explained_by_its_code(capsys: pytest.CaptureFixture[str], code: str) -> None:
    """Title, severity, why, fix, how it looks, who says so, and where it is documented; nothing is
    checked.
    """
    answer = run(capsys, "--explain", code)
    rule = format_rules.RULES["TD-DATA-103"]
    assert (answer.code, answer.err) == (0, "")
    for told in (
        rule.code,
        rule.title,
        rule.severity,
        rule.explanation,
        rule.fix,
        "docs/data-formats.md",
    ):
        assert told in answer.out
    told = json.loads(run(capsys, "--explain", code, "--json").out)
    assert (told["title"], told["right"], told["source"]) == (
        rule.title,
        *(told[name] for name in ("right", "source")),
    )
    assert f"  right       {told['right']}\n  source      {told['source']}\n" in answer.out


@pytest.mark.parametrize("rule", format_rules.RULES.values(), ids=lambda rule: rule.code)
def test_every_rule_is_explained(
    capsys: pytest.CaptureFixture[str], rule: format_rules.Rule
) -> None:
    """Those of form, of preferences, of graders and of what texts hold."""
    told = run(capsys, "--explain", rule.code[-3:]).out
    assert told.startswith(
        f"{rule.code} {rule.title}  {rule.severity}\n  why         {rule.explanation}\n"
    )
    assert re.search(
        r"\n  means       .+\n  wrong       .+\n  right       .+\n  source      .+\n", told
    )


def test_examples_are_those_of_the_rules() -> None:
    """Each rule has one, and no other number has."""
    assert examples.EXAMPLES.keys() == {code[-3:] for code in format_rules.RULES}


def test_code_of_a_run_is_explained_by_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As docs/errors.md has it where it is there; that of rejected data always; any other is said
    to be of a run.
    """
    page = tmp_path / "errors.md"
    page.write_text(
        (
            "# Errors\n\n## TD-GATE-001\nThe account\nlacks it.\n\n## TD-DROP-006\nThe data has "
            "errors.\n"
        ),
        encoding="utf-8",
    )
    shown: list[str] = []
    told = partial(
        entry.run,
        prog="check",
        show=lambda lines: shown.extend("".join(span.text for span in line) for line in lines),
    )
    assert told(["--explain", "td-gate-001"], errors=page) == 0
    assert shown == [
        "TD-GATE-001  of a run, not of data",
        "  why         The account lacks it.",
        "  more        docs/errors.md#td-gate-001",
    ]
    assert "This command finds the same" in run(capsys, "--explain", "TD-DROP-006").out
    answer = run(capsys, "--explain", "TD-GATE-001")
    assert (answer.code, answer.err) == (
        2,
        (
            "error: TD-GATE-001 is a code of a run, not of data; docs/errors.md of TuneDrop lists "
            "them.\n"
        ),
    )


@pytest.mark.usefixtures("here")
def test_text_groups_findings_by_rule_and_hides_what_steers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Errors first, each place below its rule, at most ten of them; no control character of
    a name.
    """
    a_file(Path("b\x1b.jsonl"), BAD_ROLE * 15 + NO_SYSTEM)
    out = run(capsys, "b\x1b.jsonl").out
    lines = out.splitlines()
    heading = lines.index("  error TD-DATA-203 Unknown role (15) — Use one of these roles.")
    assert lines[heading + 1].startswith(
        "    b⟦U+001B⟧.jsonl:1 /messages/1/role  A message's role must be"
    )
    assert lines[heading + 11] == "    and 5 more"
    assert heading < next(
        number for number, line in enumerate(lines) if line.startswith("  warning TD-DATA-009")
    )
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("signalled", "code"), [(False, 141), (True, 130)], ids=["the reader leaves", "Ctrl-C"]
)
def test_early_end_is_quiet(tmp_path: Path, signalled: bool, code: int) -> None:
    """The shell's code and no traceback, where `| head` closes the pipe or Ctrl-C comes while
    standard input is awaited.
    """
    path = a_file(tmp_path / "good.jsonl")
    command = [sys.executable, "-m", "tunedrop_check", "-" if signalled else str(path)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_hears_ctrl_c,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        if signalled:
            process.stdin.write(bytes(2**20))  # more than a pipe holds: it is read by now
            process.send_signal(signal.SIGINT)
        process.stdout.close()
        assert (process.wait(patience(30)), process.stderr.read()) == (code, b"")


def _hears_ctrl_c() -> None:
    """Also where the tests run in a shell's background, which has its children ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints it."""
    with pytest.raises(SystemExit) as ended:
        run(capsys, "--version")
    assert (ended.value.code, capsys.readouterr().out) == (0, f"tunedrop-check {VERSION}\n")


@pytest.mark.usefixtures("here")
def test_library_gives_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """One path or several, as text or as a path."""
    printed = json.loads(run(capsys, "bad.jsonl", "--json", "--model", "gpt-4o").out)
    assert json.loads(json.dumps(check("bad.jsonl", model="gpt-4o"))) == printed
    assert check([Path("bad.jsonl")], model="gpt-4o") == check(Path("bad.jsonl"), model="gpt-4o")


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("none.jsonl", {}),
        ("good.jsonl", {"model": "?"}),
        ("good.jsonl", {"prices": "none"}),
        ("good.jsonl", {"secrets": "no"}),
    ],
)
@pytest.mark.usefixtures("here")
def test_library_raises_what_can_not_be_done(path: str, options: dict[str, Any]) -> None:
    """One exception, with the command's sentence."""
    with pytest.raises(CannotCheck):
        check(path, **options)
