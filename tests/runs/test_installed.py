"""TuneDrop as pipx and uv install it: far from a checkout, with an empty home."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import wheels
from tests.data import a_training_set
from tests.patience import patience
from tunedrop_check import VERSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def inherited() -> dict[str, str]:
    """What npm needs to reach its registry, where a machine sets that by variables or by the
    user's own file, and nothing else of this process.
    """
    kept = {"NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SYSTEMROOT"}
    given = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in kept or name.lower().startswith("npm_config_")
    }
    npmrc = Path.home() / ".npmrc"
    return {"npm_config_userconfig": str(npmrc), **given} if npmrc.exists() else given


def test_demo_of_the_installed_package_succeeds_with_an_empty_home(tmp_path: Path) -> None:
    """Version, check and demo, outside the checkout: Azurite comes into the cache folder, data
    into the state folder, and nothing into the current one.
    """
    tunedrop, _ = wheels.built(tmp_path / "dist")
    pins = [f"{name}=={number}" for name, number in wheels.pins_of("requirements-dev.lock").items()]
    python = wheels.python_of("3.13") or pytest.skip("this machine has no Python 3.13")
    inside = wheels.installed(tunedrop, tmp_path, python, pins)
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    (away / "my.jsonl").write_bytes(a_training_set("packages"))

    def ran(*arguments: str) -> str:
        done = subprocess.run(
            [str(inside / "tunedrop"), *arguments],
            cwd=away,
            env={**inherited(), "HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)},
            capture_output=True,
            encoding="utf-8",
            timeout=patience(240),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert ran("--version") == f"tunedrop {VERSION}\n"
    [file] = json.loads(ran("check", "my.jsonl", "--json"))["files"]
    assert (file["examples"], file["errors"]) == (12, 0)
    told = json.loads(ran("demo", "--json"))
    assert (told["outcome"], bool(told["answer"])) == ("succeeded", True)
    assert Path(told["report"]).is_relative_to(home)
    assert [path.name for path in away.iterdir()] == ["my.jsonl"]
