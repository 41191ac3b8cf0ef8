"""Whose a deployment is: by its tag, else by the model and by what the run has meant to make."""

from typing import Any

import pytest

from activities.deploy import own_deployment
from shared.errors import ServiceLost
from shared.models.record import Effect
from shared.services.resource_manager import DeploymentFacts
from tests.builders import NOW, a_record

MODEL = "gpt-4.1-mini.ft-1"
MEANT = {"deployment": Effect(state="intended", holder="x", at=NOW)}
MINE = a_record().id


@pytest.mark.parametrize(
    ("owner", "model", "changes", "own"),
    [
        pytest.param(MINE, MODEL, {}, True, id="its tag"),
        pytest.param("other-00000001", MODEL, {}, False, id="another run's tag, the same model"),
        pytest.param(
            None, MODEL, {}, True, id="no tags are kept, and the run has trained the model"
        ),
        pytest.param(None, "other", {}, False, id="another model"),
        pytest.param(
            None,
            MODEL,
            {"reuse_of": "other-00000001"},
            False,
            id="made by hand with a model that is deployed again",
        ),
        pytest.param(
            None,
            MODEL,
            {"reuse_of": "other-00000001", "effects": MEANT},
            True,
            id="deployed again by this run",
        ),
    ],
)
def test_only_a_runs_own_deployment_is_adopted_or_deleted(
    owner: str | None, model: str, changes: dict[str, Any], own: bool
) -> None:
    """Two runs may serve the same model since one can deploy another's."""
    found = DeploymentFacts("travel", model, "GlobalStandard", 1, "Succeeded", owner)
    if own:
        assert own_deployment(found, a_record(**changes), MODEL) == "travel"
    else:
        with pytest.raises(ServiceLost):
            own_deployment(found, a_record(**changes), MODEL)
