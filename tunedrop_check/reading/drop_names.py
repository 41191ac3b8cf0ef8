"""The names of files that mean something in a drop."""

from typing import Literal

Role = Literal["training", "validation"]

TRAINING_SET = "training_set.jsonl"
VALIDATION_SET = "validation_set.jsonl"
JOB_FILE = "job.json"
# Written by Spark beside its part files when all of them are there.
SUCCESS = "_SUCCESS"


def role_of(name: str) -> Role:
    """`validation` where the name of a file or folder says so, else `training`."""
    return "validation" if "validation" in name.lower() else "training"
