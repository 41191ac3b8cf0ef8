"""The rules that data can break: their catalogue, and the findings that tell where one is
broken.
"""
