"""TuneDrop on one machine: Azurite, the stand-in and the embedded host, started and ended
together.
"""
