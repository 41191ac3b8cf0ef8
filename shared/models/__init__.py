"""The messages and records of a run: frozen pydantic models, plain JSON on the wire."""
