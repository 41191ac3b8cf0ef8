"""The scan of a file: span by span, each on its own, and what the spans come to together."""
