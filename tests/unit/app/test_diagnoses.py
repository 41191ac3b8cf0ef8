"""Azure's codes: each has one diagnosis, which errors tell and the documentation lists."""

import re
from pathlib import Path

import pytest

from shared.diagnoses import DIAGNOSES
from shared.errors import ServiceRejected

TABLE = (
    (Path(__file__).parents[3] / "docs" / "errors.md")
    .read_text(encoding="utf-8")
    .partition("## TD-SERVICE-001")[2]
)


@pytest.mark.parametrize("code", DIAGNOSES)
def test_diagnosis_is_told_by_the_error_and_listed_in_the_documentation(code: str) -> None:
    """Cause and help stand in the problem, so that nobody has to look the code up; the page lists
    every code.
    """
    helps = ServiceRejected("Azure Resource Manager", 400, code, "no").problem.fix
    assert helps == f"{DIAGNOSES[code].cause} {DIAGNOSES[code].fix}"
    assert re.search(rf"^\| [^|]*\b{code}\b[^|]* \| .+ \| .+ \|$", TABLE, re.MULTILINE)


@pytest.mark.parametrize(
    "code",
    [
        "ServiceModelDeprecated",
        "ServiceModelDeprecating",
        "InsufficientQuota",
        "SpecialFeatureOrQuotaIdRequired",
        "DeploymentModelNotSupported",
    ],
)
def test_refusals_of_a_deployment_are_diagnosed(code: str) -> None:
    """Quota never proves that a model can still be deployed: what Azure says then has a name."""
    assert code in DIAGNOSES


def test_code_that_nobody_knows_leads_to_the_documentation_and_to_support() -> None:
    """A new code gets no invented cause."""
    assert (
        "give the request id to Azure support"
        in ServiceRejected("Azure OpenAI", 400, "SomethingNew", "no").problem.fix
    )
