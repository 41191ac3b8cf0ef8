"""Which of the inputs belong together: validation data with the training data whose examples it
must not repeat.
"""

from collections.abc import Sequence
from pathlib import PurePath

from ..reading.drop_names import TRAINING_SET
from .inputs import Input

_OF_A_DROP = (TRAINING_SET, "training")


def training_of(wanted: Input, inputs: Sequence[Input]) -> Input | None:
    """The training data that an input is the validation data of, if there is one."""
    if wanted.role == "training":
        return None
    all_of_them = [one for one in inputs if one.role == "training"]
    beside = [one for one in all_of_them if one.home == wanted.home]
    of_drop = [one for one in beside if PurePath(one.path).name in _OF_A_DROP]
    # The one that is named as in a drop, in the same folder; else the only one there; else the only
    # one of all.
    return next((found[0] for found in (of_drop, beside, all_of_them) if len(found) == 1), None)
