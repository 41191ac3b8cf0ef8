"""Azurite, the storage emulator: where it is, and how the package gets it.

A checkout has it in node_modules, by `dev.py setup`. The package fetches it once into the user's
cache folder, by the lock file that travels with it: npm checks each package against its hash.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tunedrop import folders

OLDEST_NODE = 20
# What npm reads; the last stands in the place of packages that Azurite names and never loads.
LOCKED = ("package.json", "package-lock.json", "tools/unused")
# Where systems keep the authorities that they trust; Node looks at none of them by itself.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
_LINES_SHOWN = 8
_BY_HAND = "Or install Azurite yourself, and name its azurite-blob with --azurite."


class NotInstalled(Exception):
    """Azurite isn't on this machine, and can't be brought; the message says what to do."""


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """The variables of a program of Node: a Node that came as a Python package is found first."""
    path = os.pathsep.join((sysconfig.get_path("scripts"), base.get("PATH", os.defpath)))
    return {**base, "PATH": path}


def program(named: Path | None, say: Callable[[str], None]) -> str:
    """The path of azurite-blob: of the one that is named, else of npm's; `say` hears of fetching.

    Raises:
        NotInstalled: it isn't there, and can't be brought.
    """
    if named is not None:
        found, fix = shutil.which(named), "--azurite or the variable AZURITE names no program."
    else:
        home = _fetched(say) if folders.INSTALLED else folders.NODE_PACKAGES
        found = shutil.which("azurite-blob", path=str(home / "node_modules" / ".bin"))
        fix = "`python3 dev.py setup` installs it; or name its azurite-blob with --azurite."
    if found is None:
        raise NotInstalled(f"Azurite is not installed. {fix}")
    return str(Path(found).absolute())


def _fetched(say: Callable[[str], None]) -> Path:
    """The folder with node_modules; what an earlier release fetched stays beside it."""
    lock = (folders.NODE_PACKAGES / "package-lock.json").read_bytes()
    home = folders.cache() / f"azurite-{hashlib.sha256(lock).hexdigest()[:12]}"
    if home.is_dir():
        return home
    variables = environment(os.environ)
    npm = _npm(variables["PATH"])
    say(f"Azurite; it is fetched into {home}, once")
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=home.parent) as draft:
            _fetch(npm, Path(draft) / "npm", variables)
            # In one step: what is there is whole. Where another command was faster, its copy stays.
            if not home.is_dir():
                (Path(draft) / "npm").rename(home)
    except OSError as error:
        if not home.is_dir():
            raise NotInstalled(f"{home} can't be written: {error.strerror}. {_BY_HAND}") from None
    return home


def _npm(path: str) -> str:
    """The program npm, where a Node beside it is new enough."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    told = ""
    if node and npm:
        told = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=False
        ).stdout
    version = re.match(r"v(\d+)\.", told)
    if npm is None or version is None or int(version[1]) < OLDEST_NODE:
        raise NotInstalled(
            f"Azurite needs Node {OLDEST_NODE} or newer with npm, and none is on PATH. Install it, "
            f"or TuneDrop as tunedrop[node], which brings it as a Python package. {_BY_HAND}"
        )
    return npm


def _fetch(npm: str, folder: Path, variables: Mapping[str, str]) -> None:
    for name in LOCKED:
        source, target = folders.NODE_PACKAGES / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    done = subprocess.run(
        [npm, "ci", "--omit=dev", "--ignore-scripts", *_QUIET],
        cwd=folder,
        env={**_certificates(variables), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(f"  {line}" for line in done.stderr.splitlines()[-_LINES_SHOWN:])
        raise NotInstalled(
            "npm could not fetch Azurite. Check that this machine reaches npm's registry; behind a "
            "company's proxy, name a file with its certificates in NODE_EXTRA_CA_CERTS. "
            f"{_BY_HAND} npm says:\n{last}"
        )


def _certificates(variables: Mapping[str, str]) -> dict[str, str]:
    """The variable by which Node trusts what this machine trusts."""
    files = (*(variables.get(name, "") for name in CERTIFICATES), *BUNDLES)
    found = next((file for file in files if file and Path(file).is_file()), None)
    return {"NODE_EXTRA_CA_CERTS": found} if found else {}
