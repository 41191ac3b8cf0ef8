"""What one region offers and another doesn't, and what comes to an end: none of it is known to a
client before it asks.
"""

import openai
import pytest
from azure.core.exceptions import HttpResponseError

from tests.contract.descriptions import Judge
from tests.contract.standin import (
    BASE_MODEL,
    StandIn,
    body,
    job,
    processed,
    put,
    running,
    tuned_model,
)
from tests.contract.test_deployments import code_of
from tunedrop.emulator import regions
from tunedrop.emulator.world import ACCOUNT, RESOURCE_GROUP

DAY_S = 86_400.0
GLOBAL = {"extra_body": {"trainingType": "GlobalStandard"}}
# By Standard, GlobalStandard, Developer.
TRAINED_BY = {
    "eastus2": {"gpt-4.1-mini": "GD", "gpt-4o": "SGD", "gpt-4o-mini": "GD"},
    "northcentralus": {
        "gpt-4.1-mini": "SGD",
        "gpt-4o": "SGD",
        "gpt-4o-mini": "SGD",
        "gpt-35-turbo": "SG",
    },
    "swedencentral": {"gpt-4.1-mini": "SGD", "gpt-4o": "SGD", "gpt-4o-mini": "SGD"},
}
WORDS = {"S": "fineTune", "G": "globalFineTune", "D": "devTierFineTune"}


@pytest.mark.parametrize("region", TRAINED_BY)
def test_region_lists_the_models_that_it_has_with_the_types_that_it_trains_them_by(
    judge: Judge, region: str
) -> None:
    """East US 2 doesn't train the 4.1 family by Standard, and one region alone has the
    lab's model.
    """
    with running(judge, region=region) as stand_in:
        listed = list(
            stand_in.arm().accounts.list_models(RESOURCE_GROUP, ACCOUNT, enforce_https=False)
        )
    found = {
        one.name: {word for word in WORDS.values() if (one.capabilities or {}).get(word) == "true"}
        for one in listed
    }
    wanted = {
        name: {WORDS[letter] for letter in letters} for name, letters in TRAINED_BY[region].items()
    }
    assert {name: found.get(name) for name in [*wanted, "gpt-35-turbo"]} == {
        "gpt-35-turbo": None
    } | wanted


def test_default_region_trains_by_the_global_type_and_refuses_the_regional_one(
    judge: Judge,
) -> None:
    """In East US 2 a job without a training type, which is Standard, is refused with the service's
    misleading sentence.
    """
    with running(judge, region=regions.DEFAULT) as stand_in:
        client = stand_in.v1()
        file = processed(stand_in, client)
        with pytest.raises(openai.BadRequestError, match="does not support fine-tuning"):
            client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file)
        model = tuned_model(stand_in, client, **GLOBAL)
        with pytest.raises(HttpResponseError, match="SKU 'Standard'") as refused:
            put(stand_in, "ours", body(model))
        assert code_of(refused.value) == "InvalidResourceProperties"
        put(stand_in, "ours", body(model, sku="GlobalStandard"))


@pytest.mark.parametrize("text", ["eastus2", "East US 2", "east-us-2"])
def test_region_is_known_by_its_name_for_people_too(text: str) -> None:
    """As Azure's own tools take it."""
    assert regions.named(text) == "eastus2"


def test_fine_tuned_models_have_quotas_of_their_own(judge: Judge) -> None:
    """By the names of live lists, where the 4.1 family is written without its first hyphen; 500
    units.
    """
    with running(judge, region="eastus2") as stand_in:
        usages = {
            one.name.value: one.limit
            for one in stand_in.arm().usages.list("eastus2", enforce_https=False)
            if one.name
        }
    assert usages["OpenAI.GlobalStandard.gpt4.1-mini"] == 5_000
    assert (
        usages["OpenAI.GlobalStandard.gpt4.1-mini-finetune"]
        == usages["OpenAI.DeveloperTier.gpt4.1-mini-finetune"]
        == 500
    )
    assert "OpenAI.Standard.gpt4.1-mini" in usages
    assert "OpenAI.Standard.gpt4.1-mini-finetune" not in usages


def test_training_ends_before_the_deployments_and_answers_of_what_was_trained(
    stand_in: StandIn,
) -> None:
    """Half a year apart: jobs and base models end first, then what was trained, which is told by
    ServiceModelDeprecated and 410.
    """
    client = stand_in.v1()
    model = tuned_model(stand_in, client)
    put(stand_in, "ours", body(model))
    stand_in.advance(140 * DAY_S)
    with pytest.raises(openai.BadRequestError, match="does not support fine-tuning"):
        job(stand_in, client)
    with pytest.raises(
        HttpResponseError, match=r"has been deprecated since \d\d/\d\d/20\d\d\."
    ) as refused:
        put(stand_in, "base", body("gpt-4.1-mini", version="2025-04-14"))
    assert code_of(refused.value) == "ServiceModelDeprecated"
    assert client.chat.completions.create(
        model="ours", messages=[{"role": "user", "content": "?"}]
    ).choices
    stand_in.advance(190 * DAY_S)
    with pytest.raises(HttpResponseError, match="has been deprecated since"):
        put(stand_in, "late", body(model))
    with pytest.raises(openai.APIStatusError) as gone:
        client.chat.completions.create(model="ours", messages=[{"role": "user", "content": "?"}])
    assert gone.value.status_code == 410


def test_deprecating_model_is_deployed_anew_only_as_what_was_trained_from_it(
    stand_in: StandIn,
) -> None:
    """A base model on its way out is refused by its own code; the quota never said so."""
    asked = body("gpt-4o", version="2024-08-06")
    with pytest.raises(
        HttpResponseError, match="is in deprecating state and cannot be used for new deployments"
    ) as refused:
        put(stand_in, "base", asked)
    assert code_of(refused.value) == "ServiceModelDeprecating"
    put(
        stand_in,
        "ours",
        body(tuned_model(stand_in, stand_in.v1(), model="gpt-4o"), sku="GlobalStandard"),
    )
    stand_in.advance()
    stand_in.control("PUT", "switches", {"deprecating_models": "taken"})
    put(stand_in, "base", asked)


def test_subscription_without_access_to_a_model_is_refused_by_name(stand_in: StandIn) -> None:
    """SpecialFeatureOrQuotaIdRequired, though the list offers the model and the quota has room."""
    stand_in.control("PUT", "switches", {"model_access": False})
    with pytest.raises(HttpResponseError, match="does not have access to this model") as refused:
        put(stand_in, "ours", body("gpt-4.1-mini", version="2025-04-14"))
    assert code_of(refused.value) == "SpecialFeatureOrQuotaIdRequired"
