"""The embedded host, with an app of its own."""
