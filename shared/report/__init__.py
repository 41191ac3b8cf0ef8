"""The report of a run: its published model, and the page and the files that are made from it. Pure:
no I/O but its own template.
"""
