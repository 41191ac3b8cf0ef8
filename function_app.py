"""TuneDrop: the Functions app. Everything that it serves is registered here, and nothing else happens here."""

import azure.durable_functions as df
import azure.functions as func

import activities
import orchestrators
import triggers

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (*triggers.blueprints, *orchestrators.blueprints, *activities.blueprints):
    app.register_functions(blueprint)
