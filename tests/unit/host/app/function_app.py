"""One function of each kind, for the tests of the embedded host."""

import azure.durable_functions as df
import azure.functions as func
from everything import bp

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(bp)
