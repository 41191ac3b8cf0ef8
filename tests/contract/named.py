"""The differences that are meant, each with its reason; whatever else differs is a fault."""

# What a changed story brings: function, place and difference. Orchestrations have none: what began
# then decides as it did then.
ANSWERS = {
    (
        "list_runs",
        ".runs[].reuse_of",
        "is one more",
    ): "since then a trained model can be deployed again without training",
    (
        "list_runs",
        ".runs[].blob",
        "is one more",
    ): "since then a row tells which blob started its run",
    (
        "make_plan",
        ".value.reuse",
        "is one more",
    ): "since then a plan says whether it deploys a trained model",
    ("preflight", ".value.reuse", "is one more"): "since then a gate says whether the run trains",
    ("reserve", ".value.reuse", "is one more"): "since then a gate says whether the run trains",
    (
        "end_run",
        ".value.outcome",
        "is missing",
    ): "the story has it from begin_ending, and never read it here",
    (
        "begin_ending",
        ".value.take_back",
        "is one more",
    ): "since then an ending lists what it takes back",
    ("begin_ending", ".value.take_back[].activity", "is one more"): "by the activity that does it",
    ("begin_ending", ".value.take_back[].role", "is one more"): "and the file that it is about",
    ("list_runs", ".cursor", "is one more"): "since then a list of runs comes in pages",
    ("merge_scan", ".problem.mend", "is missing"): "since then it is called `fix`",
    ("merge_scan", ".problem.fix", "is one more"): "so it is called since then",
    ("health", ".missing", "is one more"): "since then health names what is missing",
}

# What the embedded host does otherwise on purpose: part, field and difference.
SENT = {
    ("request of sweep", "", "was never recorded"): "no timer fired while the recording was made",
    (
        "request of give_back",
        "",
        "was never recorded",
    ): "since then the end of a run calls who waits for its place",
}

# What else the embedded host does otherwise on purpose.
NO_FIELD_SHOWS = {
    "a timer that is not early": "Azure's queues hide a message for whole seconds, so that "
    "a durable timer fires up to a "
    "second before "
    "its time; the embedded engine keeps to the time, since with no queue in between a wait of "
    "half a second would become none",
    ("addresses of the engine over HTTP"): (
        "they stand in the durable client, and nobody answers there: the app has an API of its own"
    ),
    (
        "an engine that ends with its host"
    ): "the sweep of the next host takes up from the ledger what ran; that host waits for the "
    "lease of "
    "the dead one, so that a run stands still for about a minute in both",
}
