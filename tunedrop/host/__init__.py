"""The embedded host: runs the Functions app with nothing but Python.

It hands every HTTP request, blob event, timer and durable work item to Microsoft's own Python
worker runtime, so that bindings are decoded as on Azure; the durable engine is durabletask's
in-memory backend. Both are of one process: what is running is lost when the host ends, and comes
back from the app's ledger.
"""

import os

# The environment variable that holds the function key where the command line, which all users of a
# machine can read, has none.
KEY = "EMBEDDED_HOST_KEY"

# gRPC's core reads it at import and else reports each channel's end.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
