"""Search of raw lines for secrets, personal data and odd characters, in one linear pass over whole
blocks.
"""
