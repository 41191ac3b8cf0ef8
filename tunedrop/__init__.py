"""TuneDrop on your machine: the command line, the embedded Functions host and the Azure OpenAI
stand-in.
"""
