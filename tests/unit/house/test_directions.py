"""Dependencies point one way, activities keep their shape, and the environment is read in one
place.
"""

import ast
import sys
from pathlib import Path

import pytest

from tests.unit.house import repository
from tests.unit.house.repository import APP, OURS, ROOT, imported, name_of, tree_of

ENGINE = "tunedrop_check"
MAY_IMPORT = {
    "activities": {"activities", "shared", ENGINE},
    "orchestrators": {"orchestrators", "shared", ENGINE},
    "shared": {"shared", ENGINE},
    "triggers": {"triggers", "orchestrators", "shared", ENGINE},
    "function_app": {*APP},
    "tunedrop": {*APP, "function_app", "tunedrop"},
    ENGINE: {ENGINE},
    "dev": set[str](),
}
ENGINE_MAY_IMPORT = {
    "google_re2",
    "msgspec",
    "numpy",
    "re2",
    "tiktoken",
    "toktok",
    "typing_extensions",
}


def against_the_direction(owner: str, tree: ast.AST) -> list[str]:
    """Imports of ours that this part may not make, as `line: name`."""
    return [
        f"{line}: {name}"
        for line, name in imported(tree)
        if (part := name.split(".")[0]) in OURS and part not in MAY_IMPORT[owner]
    ]


def outside_the_engine(tree: ast.AST, depth: int) -> list[str]:
    """Imports that would tie the engine to the rest; `depth` is how many packages below it the
    module lies.
    """
    allowed = ENGINE_MAY_IMPORT | sys.stdlib_module_names
    return [
        f"{line}: {name}"
        for line, name in imported(tree)
        if (
            name.split(".")[0] not in allowed
            if not name.startswith(".")
            else len(name) - len(name.lstrip(".")) > depth + 1
        )
    ]


@pytest.mark.parametrize(
    "path", repository.modules(*APP, "function_app.py", "tunedrop", "dev.py"), ids=name_of
)
def test_imports_follow_the_direction_in_every_module(path: Path) -> None:
    """Triggers know orchestrators, everyone knows shared, the machine knows the app, and never the
    other way.
    """
    assert (
        against_the_direction(path.relative_to(ROOT).parts[0].removesuffix(".py"), tree_of(path))
        == []
    )


@pytest.mark.parametrize(
    ("owner", "source"),
    [
        ("orchestrators", "from activities import create_job"),
        ("orchestrators", "def run():\n    import activities.deploy"),
        ("shared", "import orchestrators.names"),
        ("shared", "from tunedrop.host import Host"),
        ("activities", "from triggers.starting import start_once"),
        ("triggers", "from activities.deploy import own_deployment"),
        ("function_app", "from tunedrop import cli"),
    ],
)
def test_direction_is_refused_when_an_import_goes_against_it(owner: str, source: str) -> None:
    """Each of these imports is noticed."""
    assert against_the_direction(owner, ast.parse(source)) != []


FLOORS = ("services", "runs", "report")


@pytest.mark.parametrize("path", repository.modules("shared"), ids=name_of)
def test_floors_of_shared_know_only_those_below(path: Path) -> None:
    """Services know nothing of runs, and neither knows the report; what lies at the root of shared
    knows no floor.
    """
    own = path.relative_to(ROOT).parts[1]
    above = FLOORS[FLOORS.index(own) + 1 :] if own in FLOORS else FLOORS
    known = {name.split(".")[1] for _, name in imported(tree_of(path)) if name.count(".") > 1}
    assert known & set(above) == set()


@pytest.mark.parametrize("path", repository.modules(ENGINE), ids=name_of)
def test_engine_stands_alone_in_every_module(path: Path) -> None:
    """tunedrop_check imports itself relatively, and else only what its wheel depends on."""
    assert outside_the_engine(tree_of(path), len(path.relative_to(ROOT / ENGINE).parts) - 1) == []


@pytest.mark.parametrize(
    "source",
    [
        "from shared import errors",
        "from .. import errors",
        "import pydantic",
        "from tunedrop_check import scan",
    ],
)
def test_engine_is_refused_when_it_leans_on_the_rest(source: str) -> None:
    """An import that its wheel couldn't follow is noticed."""
    assert outside_the_engine(ast.parse(source), 0) != []


@pytest.mark.parametrize(
    "path",
    [path for path in repository.modules("activities") if path.stem != "__init__"],
    ids=name_of,
)
def test_activity_says_what_a_second_run_does_in_every_file(path: Path) -> None:
    """The function of the file's name has a docstring with a paragraph that opens with "Second
    run".
    """
    functions = {
        node.name: ast.get_docstring(node) or ""
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef)
    }
    assert "\n\nSecond run" in functions.get(path.stem, "")


@pytest.mark.parametrize("path", repository.modules(*APP, "function_app.py"), ids=name_of)
def test_environment_is_read_nowhere_but_in_settings(path: Path) -> None:
    """Only shared/settings.py knows that there is an environment."""
    read = [
        node.lineno
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "environb", "getenv"})
    ]
    assert name_of(path) == "shared/settings.py" or read == []


@pytest.mark.parametrize("path", repository.modules("tests"), ids=name_of)
def test_suite_mocks_nothing_in_any_module(path: Path) -> None:
    """The seam is the transport: neither unittest.mock nor a mocker fixture is used."""
    mocks = [
        name
        for _, name in imported(tree_of(path))
        if name.split(".")[:2] == ["unittest", "mock"] or name.startswith(("mock.", "pytest_mock"))
    ]
    fixtures = [
        node.arg
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.arg) and node.arg == "mocker"
    ]
    assert mocks + fixtures == []
