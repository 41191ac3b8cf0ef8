"""The folders on this machine: of the app, of the user's data, and of what is fetched once.

In a checkout the app is the checkout, and all that is made stays in it. Installed as a package,
the app travels inside `tunedrop/app`, and data and what is fetched lie in the user's own folders.
"""

from pathlib import Path

_INSIDE = Path(__file__).parent / "app"
# Whether this is the package, and no checkout.
INSTALLED = _INSIDE.is_dir()
# The folder of function_app.py.
APP = _INSIDE if INSTALLED else Path(__file__).parent.parent
SAMPLE = APP / "examples" / "travel-desk"
# The page that explains the codes of runs.
CODES_PAGE = APP / "docs" / "errors.md"
# The folder of package-lock.json, by which npm installs Azurite.
NODE_PACKAGES = APP / "azurite" if INSTALLED else APP


def data() -> Path:
    """The folder for what TuneDrop keeps unless another is named: runs, logs, reports."""
    if not INSTALLED:
        return APP / ".tunedrop"
    import platformdirs  # only where it is needed

    return platformdirs.user_state_path("tunedrop", appauthor=False)


def cache() -> Path:
    """The folder for what can be fetched again."""
    if not INSTALLED:
        return APP / ".tools"
    import platformdirs  # as above

    return platformdirs.user_cache_path("tunedrop", appauthor=False)
