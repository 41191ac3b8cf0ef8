"""Fuzzers that a person runs for long, and the suite for a moment."""
