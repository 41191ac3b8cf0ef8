"""The short way for lines of the common shapes: decoded typed, many at a time, and known to be
clean without a look at each rule.
"""
