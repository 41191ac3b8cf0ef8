"""`--fix OUT`: what a fixed copy has that its original hasn't, and what is never touched."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data import a_training_set
from tests.unit.check.builders import LOADED
from tests.unit.check.command.builders import BAD_ROLE, a_file, a_spark_folder, run
from tests.unit.check.field_cases import folder_of
from tunedrop_check.command import converting, fixing, inputs, sources

BOM = b"\xef\xbb\xbf"
GOOD = a_training_set("fixing", 12)
FIRST = GOOD.splitlines()[0]
PIECES = [b"\n", b"\r\n", b"\r", b" ", b"\t", BOM, b'{"a": 1}', b'{"b": "x "}', b"\xff", b"x"]


def fixed(folder: Path, content: bytes) -> tuple[bytes, dict[str, int]]:
    """The fixed copy of a file with this content, and its changes that are more than none."""
    [one] = inputs.find([str(a_file(folder / "in.jsonl", content))])
    told = fixing.fix(one, folder / "out.jsonl", force=True)
    return (folder / "out.jsonl").read_bytes(), {
        name: number for name, number in told.changes.items() if number
    }


@pytest.mark.parametrize(
    ("content", "copy", "changes"),
    [
        pytest.param(BOM + b"1\n2\n", b"1\n2\n", {"byte_order_marks": 1}, id="mark at the start"),
        pytest.param(b"1\n" + BOM + b"2\n", b"1\n2\n", {"byte_order_marks": 1}, id="mark inside"),
        pytest.param(b"\n1\n \t\n\r\n2\n\n", b"1\n2\n", {"blank_lines": 4}, id="blank lines"),
        pytest.param(b"1\r\n2\r\n", b"1\n2\n", {"crlf_line_ends": 2}, id="CRLF"),
        pytest.param(
            b"1 \n2\t \r\n",
            b"1\n2\n",
            {"trailing_blanks": 2, "crlf_line_ends": 1},
            id="white space at the end",
        ),
        pytest.param(b"1\n2", b"1\n2\n", {"last_line_feeds": 1}, id="no last line feed"),
        pytest.param(
            b"1\n2\r",
            b"1\n2\n",
            {"last_line_feeds": 1, "trailing_blanks": 1},
            id="half a last line end",
        ),
        pytest.param(
            b'{"a":1}\n{}\n{"a":1}\n{"a":1}', b'{"a":1}\n{}\n', {"duplicates": 2}, id="duplicates"
        ),
        pytest.param(
            b"{}\n{} \r\n" + BOM + b"{}",
            b"{}\n",
            {"duplicates": 2, "byte_order_marks": 1},
            id="duplicates once fixed",
        ),
        pytest.param(
            b"1\n1\n[]\n[]\n{\n{\n",
            b"1\n1\n[]\n[]\n{\n{\n",
            {},
            id="what is no object is no duplicate",
        ),
        pytest.param(
            b'{"messages":[{"name":null,"refusal":null}],"tools":null}\n',
            b'{"messages":[{"refusal":null}]}\n',
            {"null_keys": 2},
            id="null",
        ),
        pytest.param(
            b'{"messages": [{"name": null, "a": 1e5}]}\n',
            b'{"messages": [{"a": 100000.0}]}\n',
            {"null_keys": 1},
            id="null, spaced",
        ),
        pytest.param(
            b'{"messages":[{"content":null}],"x":null}\n',
            b'{"messages":[{"content":null}],"x":null}\n',
            {},
            id="another null",
        ),
        pytest.param(
            b'{"a": 1, "b": [1]}\n{"b":[1],"a":1}\n',
            b'{"a": 1, "b": [1]}\n',
            {"duplicates": 1},
            id="one object, two spellings",
        ),
        pytest.param(
            b'{"a": 1, "a": 2}\n{"a": 2}\n',
            b'{"a": 1, "a": 2}\n{"a": 2}\n',
            {},
            id="an object that isn't sound",
        ),
        pytest.param(
            b'{"a": [1, 2]}\n{"a": [2, 1]}\n',
            b'{"a": [1, 2]}\n{"a": [2, 1]}\n',
            {},
            id="another order",
        ),
        pytest.param(b"", b"", {}, id="empty"),
        pytest.param(b"\n \n", b"", {"blank_lines": 2}, id="only blank"),
        pytest.param(
            b' {"a": "\xff b  "}\n\x0b\n\xc2\xa0\n',
            b' {"a": "\xff b  "}\n\x0b\n\xc2\xa0\n',
            {},
            id="what it doesn't know",
        ),
        pytest.param(b"1\r2\n", b"1\r2\n", {}, id="CR inside"),
    ],
)
def test_copy_has_these_changes_and_no_others(
    tmp_path: Path, content: bytes, copy: bytes, changes: dict[str, int]
) -> None:
    """Each kind is counted, and every other byte stays."""
    assert fixed(tmp_path, content) == (copy, changes)


@LOADED
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_fixing_what_is_fixed_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Twice is once, and nothing that holds something is lost but for duplicates."""
    folder = tmp_path_factory.mktemp("twice")
    once, _ = fixed(folder, content)
    twice, changes = fixed(folder, once)
    assert (twice, changes) == (once, {})
    assert gist(once) == gist(content)


def gist(content: bytes) -> set[bytes]:
    """The objects and lines that hold something, without marks and white space."""
    apart = content.replace(BOM, b"").replace(b"}", b"}\n")
    return {b"".join(line.split()) for line in apart.split(b"\n")} - {b""}


def test_line_over_the_limit_is_copied_unread(tmp_path: Path) -> None:
    """A line that the engine doesn't read either stays as it is, and those around it are fixed."""
    long = b'{"a": "' + b"x" * fixing.MAX_LINE_BYTES + b'"} \r\n'
    copy, changes = fixed(tmp_path, b"{} \n" + long + b"{}\n" + long)
    assert copy == b"{}\n" + long + long
    assert changes == {"trailing_blanks": 1, "duplicates": 1}


def test_duplicates_of_what_is_not_remembered_stay(tmp_path: Path) -> None:
    """The memory is bounded, and the bound is told where it was met."""
    most = 100
    content = b"".join(
        b'{"a":%d}\n' % number for number in itertools.chain(range(most + 1), [5, most])
    )
    [one] = inputs.find([str(a_file(tmp_path / "in.jsonl", content))])
    told = fixing.fix(one, tmp_path / "out.jsonl", remembered=most)
    assert (told.changes["duplicates"], told.all_lines_remembered) == (1, False)


def test_fixed_copy_checks_without_what_was_fixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left is what a person must fix, and the exit code is the copy's."""
    content = BOM + FIRST + b"\r\n\r\n" + BOM + GOOD + BAD_ROLE.rstrip() + b"  "
    source, out = a_file(tmp_path / "in.jsonl", content), tmp_path / "out.jsonl"
    before = {finding["code"] for finding in run(capsys, source, "--json").files[0]["findings"]}
    answer = run(capsys, source, "--fix", out, "--json")
    after = {finding["code"] for finding in answer.files[0]["findings"]}
    assert {"TD-DATA-108", "TD-DATA-112"} <= before
    assert after.isdisjoint({"TD-DATA-108", "TD-DATA-112"})
    assert (answer.code, answer.files[0]["path"], answer.files[0]["examples"]) == (2, str(out), 13)
    assert source.read_bytes() == content
    assert json.loads(answer.out)["fixed"]["changes"] == dict.fromkeys(fixing.CHANGES, 0) | {
        "byte_order_marks": 2,
        "blank_lines": 1,
        "crlf_line_ends": 1,
        "trailing_blanks": 1,
        "duplicates": 1,
        "last_line_feeds": 1,
    }


OBJECTS = [json.loads(line) for line in GOOD.splitlines()]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps(OBJECTS).encode(), id="array on one line"),
        pytest.param(
            BOM + json.dumps(OBJECTS, indent=2).encode() + b"\r\n", id="indented array with a mark"
        ),
        pytest.param(
            b"[\n" + b",\n".join(GOOD.splitlines()) + b"\n]\n", id="array, an example on each line"
        ),
        pytest.param(
            b"[\n" + b",\n".join(GOOD.splitlines()) + b",\n]", id="array with a comma at its end"
        ),
        pytest.param(
            b"\n".join(json.dumps(one, indent=4).encode() for one in OBJECTS), id="indented objects"
        ),
        pytest.param(
            b"\r\n".join(json.dumps(one, indent="\t").encode() for one in OBJECTS),
            id="indented objects, CRLF",
        ),
        pytest.param(b",\n".join(GOOD.splitlines()), id="a comma after each line"),
        pytest.param(b" ".join(GOOD.splitlines()), id="all objects on one line"),
    ],
)
def test_examples_of_another_form_become_lines(tmp_path: Path, content: bytes) -> None:
    """Each example on a line of its own, in their order, none lost and none changed."""
    copy, changes = fixed(tmp_path, content)
    assert [json.loads(line) for line in copy.splitlines()] == OBJECTS
    assert changes == {"converted": 12}


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 2**16])
def test_conversion_does_not_depend_on_the_pieces_that_are_read(piece: int) -> None:
    """Texts with quotes, backslashes and braces, cut anywhere."""
    objects = [
        {"a": 'say "x"', "b": "\\"},
        {"c": '}{ ][ , \\" \t'},
        {"d": {"e": [1, "\u00e9"]}},
        {},
    ]
    content = json.dumps(objects, indent=1).encode()
    chunks = [content[begin : begin + piece] for begin in range(0, len(content), piece)]
    assert [json.loads(line) for line in converting.objects_of(chunks)] == objects


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[1, 2]", id="no objects"),
        pytest.param(b"[{}, 1]", id="a number among them"),
        pytest.param(b"[{}", id="an array without its end"),
        pytest.param(b"{}]", id="an end without its array"),
        pytest.param(b"[{} {}]\nx", id="something after the array"),
        pytest.param(b'{"a": "\n"}', id="a line feed in a text"),
        pytest.param(b"[{'a': 1}]", id="single quotes"),
        pytest.param(b'[{"a": 1,}]', id="a trailing comma"),
        pytest.param(b"[{}],[{}]", id="two arrays"),
        pytest.param(b'{"a": ', id="a cut object"),
        pytest.param(b'{"a": "', id="a cut text"),
        pytest.param(b"role,content", id="CSV"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_written_in_another_way_is_not_converted(content: bytes) -> None:
    """A half of it would be a loss."""
    with pytest.raises(converting.NotConvertible):
        list(converting.objects_of([content]))


def test_indented_objects_that_can_not_be_converted_are_left_as_they_are(tmp_path: Path) -> None:
    """One of them is broken: no line of any is taken for a duplicate."""
    content = (
        b"\n".join(json.dumps(one, indent=2).encode() for one in OBJECTS * 3)
        + b'\n{"messages": [\n'
    )
    assert fixed(tmp_path, content) == (content, {})


@pytest.mark.parametrize(
    "name", ["training_set.jsonl", "array_one_per_line.jsonl", "one_line.jsonl"]
)
def test_case_13_array_is_written_as_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The copy checks without an error, and holds every example."""
    source = folder_of("13") / name
    answer = run(capsys, source, "--fix", tmp_path / "out.jsonl", "--json")
    assert (answer.code, answer.files[0]["examples"]) == (
        0,
        len(json.loads(source.read_text(encoding="utf-8"))),
    )


def test_case_20_null_keys_are_left_out_of_the_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copy has no error, and every example that the file had."""
    answer = run(
        capsys, folder_of("20") / "training_set.jsonl", "--fix", tmp_path / "out.jsonl", "--json"
    )
    assert (answer.code, answer.files[0]["errors"], answer.files[0]["examples"]) == (0, 0, 12)


def test_changes_are_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the check of the copy; `nothing` where there was nothing to fix."""
    source = a_file(tmp_path / "in.jsonl", BOM + GOOD + FIRST)
    out = run(capsys, source, "--fix", tmp_path / "once.jsonl").out
    assert "byte-order marks removed: 1\n" in out
    assert "duplicate lines removed: 1\n" in out
    assert (
        "changed     nothing\n"
        in run(capsys, tmp_path / "once.jsonl", "--fix", tmp_path / "twice.jsonl").out
    )


def test_parts_and_archives_become_one_plain_file(tmp_path: Path) -> None:
    """A folder that Spark wrote is joined on the way."""
    folder = a_spark_folder(
        tmp_path / "in",
        {"part-0.json.gz": BOM + b'{"a":1}\r\n{"a":2}', "part-1": b'{"a":2}\n{"a":3}'},
    )
    [one] = inputs.find([str(folder)])
    fixing.fix(one, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == b'{"a":1}\n{"a":2}\n{"a":3}\n'


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        pytest.param("in.jsonl", "in.jsonl is the input; give the copy another name.", id="itself"),
        pytest.param(
            "link.jsonl",
            "link.jsonl is the input; give the copy another name.",
            id="itself by a link",
        ),
        pytest.param(
            "there.jsonl", "there.jsonl exists; --force overwrites it.", id="another file"
        ),
        pytest.param(
            "folder", "folder is a folder; give the fixed copy a file name.", id="a folder"
        ),
        pytest.param(
            "out.jsonl.gz",
            "A fixed copy is not packed: give it a name that doesn't end in .gz.",
            id="an archive",
        ),
        pytest.param(
            "none/out.jsonl",
            "none/out.jsonl can't be written: No such file or directory.",
            id="no folder",
        ),
    ],
)
def test_target_that_may_not_be_written_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    out: str,
    sentence: str,
) -> None:
    """Nothing on disk changes."""
    monkeypatch.chdir(tmp_path)
    a_file(Path("in.jsonl"), GOOD)
    a_file(Path("there.jsonl"), b"mine")
    Path("link.jsonl").symlink_to("in.jsonl")
    Path("folder").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert run(capsys, "in.jsonl", "--fix", out) == (2, "", f"error: {sentence}\n")
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_force_overwrites_another_file_but_never_the_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The input is refused with --force, too."""
    source, there = a_file(tmp_path / "in.jsonl", GOOD), a_file(tmp_path / "there.jsonl", b"old")
    assert run(capsys, source, "--fix", there, "--force").code == 0
    assert there.read_bytes() == GOOD
    assert run(capsys, source, "--fix", source, "--force").code == 2


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        pytest.param(
            ["a.jsonl", "b.jsonl"], "--fix fixes one input at a time; you gave 2.", id="two inputs"
        ),
        pytest.param(
            ["broken.jsonl.gz"],
            "broken.jsonl.gz can't be fixed: The gzip archive can't be unpacked to its end. ",
            id="damaged",
        ),
    ],
)
def test_what_can_not_be_fixed_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    names: list[str],
    sentence: str,
) -> None:
    """No copy is left behind."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.jsonl", "b.jsonl"):
        a_file(Path(name))
    Path("broken.jsonl.gz").write_bytes(b"no archive")
    answer = run(capsys, *names, "--fix", "out.jsonl")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {sentence}")
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_a_copy_that_can_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    """Neither the target nor a half of it."""
    [one] = inputs.find([str(a_file(tmp_path / "in.jsonl.gz", GOOD))])
    (tmp_path / "in.jsonl.gz").write_bytes((tmp_path / "in.jsonl.gz").read_bytes()[:-9])
    with pytest.raises(sources.Refused):
        fixing.fix(one, tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl.gz"]
