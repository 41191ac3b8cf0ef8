"""A deterministic simulator of the whole app: its real functions, on a virtual clock, under one
seeded source of disorder.
"""
