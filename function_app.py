"""TuneDrop: the Functions app. Everything that it serves is registered here, and nothing else
happens here.
"""

import azure.durable_functions as df
import azure.functions as func

import activities
import orchestrators
import triggers


class App(df.DFApp):
    """A Durable app that serves its own functions only."""

    def _register_builtin_http_functions(self) -> None:
        """Registers none of the package's own functions.

        TuneDrop never calls `call_http`; and whoever can schedule that activity gets a token of the
        app's identity sent to any address.
        """


app = App(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (*triggers.blueprints, *orchestrators.blueprints, *activities.blueprints):
    app.register_functions(blueprint)
