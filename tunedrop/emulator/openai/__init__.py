"""The data plane: files, fine-tuning jobs, models and chat completions, on the api-version and the
v1 surface.
"""
