"""The checker as a command and as a library: which files, what to do with them, and how it is told.
It has no dependencies beyond the engine's.

Beside the engine, which only takes bytes and gives values back, this package touches the machine:
it lists folders, unpacks archives into unnamed temporary files, writes a fixed copy where it is
asked to, and prints.
"""
