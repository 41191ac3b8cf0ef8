"""What the job.json beside the data says of the training, as far as a check needs it. The app's own
reader judges the whole file.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from .. import CannotCheck
from ..counting import pricing
from ..reading.drop_names import JOB_FILE

_MAX_BYTES = 2**18


class Hyperparameters(msgspec.Struct, frozen=True):
    """Those that change a price."""

    n_epochs: Literal["auto"] | Annotated[int, msgspec.Meta(ge=1, le=50)] = "auto"


class Job(msgspec.Struct, frozen=True):
    """What is to be trained and how, where it matters here; other fields are not looked at. No
    method where no one has asked for one.
    """

    model: str | None = None
    method: Literal["supervised", "dpo", "reinforcement"] | None = "supervised"
    training_type: str | None = None
    hyperparameters: Hyperparameters = Hyperparameters()

    @property
    def epochs(self) -> int | None:
        """The epochs asked for; None where the service is to choose."""
        return None if self.hyperparameters.n_epochs == "auto" else self.hyperparameters.n_epochs

    @property
    def training_type_in_force(self) -> str:
        """The training type asked for, else the usual one."""
        return self.training_type or pricing.GLOBAL


def beside(home: Path | None) -> Job:
    """The job.json in a folder; no wishes where there is none.

    Raises:
        CannotCheck: It can't be read as one.
    """
    file = None if home is None else home / JOB_FILE
    if file is None or not file.is_file():
        return Job(method=None)
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(_MAX_BYTES), type=Job)
    except OSError as error:
        raise CannotCheck(
            f"{file} can't be read: {error.strerror or type(error).__name__}."
        ) from None
    except (msgspec.MsgspecError, RecursionError):
        raise CannotCheck(
            f"{file} isn't JSON, or its model, method, training_type or n_epochs has a wrong value."
        ) from None
