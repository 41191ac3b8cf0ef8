"""The side effects of a run: one file each, named by its verb, safe to run twice and at the same
time.

Every module of this folder is an activity; putting a file here registers it.
"""

from importlib import import_module
from pkgutil import iter_modules

import azure.durable_functions as df

blueprints: tuple[df.Blueprint, ...] = tuple(
    import_module(f"{__name__}.{module.name}").bp for module in iter_modules(__path__)
)
