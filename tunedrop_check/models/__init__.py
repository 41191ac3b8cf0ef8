"""The base models that a file can be checked for."""
