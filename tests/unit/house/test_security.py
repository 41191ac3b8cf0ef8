"""Rules of security that hold for every source file."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.house import repository
from tests.unit.house.repository import ROOT

PUBLISHED = [
    path
    for path in repository.files()
    if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"
]
MANAGEMENT = {
    "create_check_status_response",
    "create_http_management_payload",
    "get_client_response_links",
    "HttpManagementPayload",
}
UNSAFE = {"eval", "exec", "pickle", "marshal", "shelve", "yaml"}
ENVELOPE = '{"__class__": "Trap", "__module__": "__main__", "__data__": {}}'
DECODING = f"""
import json
from azure.functions._durable_functions import df_loads
class Trap:
    @classmethod
    def from_json(cls, data):
        print("sprung")
        return cls()
for payload in ({ENVELOPE!r}, '{{"inside": {ENVELOPE}}}'):
    try:
        print(type(df_loads(payload)).__name__)
    except TypeError:
        print("refused")
"""


def names(path: Path) -> set[str]:
    """Every name, attribute and imported module that stands in this file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return found


@pytest.mark.parametrize("path", PUBLISHED, ids=repository.name_of)
def test_source_knows_no_management_address_and_no_unsafe_decoder(path: Path) -> None:
    """Durable's own answers hold addresses that start anything; eval and pickle run what
    they read.
    """
    assert names(path) & (MANAGEMENT | UNSAFE) == set()


@pytest.mark.parametrize(
    ("strict", "said"), [("1", ["refused", "dict"]), ("0", ["sprung", "Trap", "sprung", "dict"])]
)
def test_payload_that_names_a_class_makes_none_when_typing_is_strict(
    strict: str, said: list[str]
) -> None:
    """With the setting a hostile envelope is refused or stays a dict; without it the trap springs,
    so the setting is what protects.
    """
    environment = {**os.environ, "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": strict}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DECODING],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == said
