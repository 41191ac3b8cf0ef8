"""What the app imports is what it declares: a package that only comes along with another one goes
away with that one's next release.
"""

import ast
import importlib.metadata
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.unit.house import repository
from tests.unit.house.repository import APP, OURS, ROOT, imported, name_of, tree_of


@cache
def declared() -> dict[str, set[str]]:
    """The packages that pyproject.toml names, of the app and of the extra `local` beside it."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    app = {_package(line) for line in project["dependencies"]}
    return {
        "app": app,
        "local": app | {_package(line) for line in project["optional-dependencies"]["local"]},
    }


@cache
def homes() -> dict[str, str]:
    """Which installed package brings a module: `azure.core` comes from another one than
    `azure.storage.blob`.
    """
    found: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        for file in package.files or []:
            if file.suffix in {".py", ".so", ".pyd"} and ".." not in file.parts:
                module = [*file.parts[:-1], file.name.split(".")[0]]
                found[".".join(module).removesuffix(".__init__")] = _package(package.name)
    return found


def _package(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _home_of(module: str) -> str | None:
    """The package of this module, or of the nearest one that holds it: the last part of an import
    may be a class.
    """
    while module:
        if module in homes():
            return homes()[module]
        module = module.rpartition(".")[0]
    return None


def undeclared(tree: ast.AST, packages: set[str]) -> list[str]:
    """Imports from packages that are not among these, as `line: name (package)`."""
    foreign = [
        (line, name)
        for line, name in imported(tree)
        if name.split(".")[0] not in {"", *OURS, *sys.stdlib_module_names}
    ]
    return [
        f"{line}: {name} ({home})"
        for line, name in foreign
        if (home := _home_of(name)) not in packages
    ]


@pytest.mark.parametrize("path", repository.modules(*APP, "function_app.py"), ids=name_of)
def test_app_imports_only_packages_that_it_declares(path: Path) -> None:
    """Each third-party module that the app names comes from a package under `dependencies`."""
    assert undeclared(tree_of(path), declared()["app"]) == []


@pytest.mark.parametrize("path", repository.modules("tunedrop"), ids=name_of)
def test_machine_imports_only_packages_that_it_declares(path: Path) -> None:
    """The command line, the host and the stand-in have the extra `local` besides."""
    assert undeclared(tree_of(path), declared()["local"]) == []


@pytest.mark.parametrize(
    "source",
    [
        "import requests_oauthlib",
        "def late():\n    from azure.mgmt.core import tools",
        "from azure.keyvault import secrets",
        "import uvicorn",
        "import package_that_is_nowhere",
    ],
)
def test_import_of_a_package_that_is_not_declared_is_seen(source: str) -> None:
    """What comes along with another package, what the machine alone has, and what isn't
    installed.
    """
    assert undeclared(ast.parse(source), declared()["app"]) != []


def test_namespaces_are_told_apart() -> None:
    """Seven packages put something under `azure`."""
    assert {
        _home_of(name)
        for name in ("azure.core.rest", "azure.storage.blob.BlobClient", "azure.functions")
    } == {
        "azure-core",
        "azure-storage-blob",
        "azure-functions",
    }
