"""The functions of the app as the Functions host is told of them."""

from functools import cache

from azure.functions.decorators.function_app import Function

import function_app


@cache
def registered_functions() -> list[Function]:
    """All of them; one process can ask the app only once."""
    return function_app.app.get_functions()
