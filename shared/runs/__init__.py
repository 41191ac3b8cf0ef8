"""A run from its claim to its end: what is known of it, what it may buy, what it makes and takes
back.
"""
