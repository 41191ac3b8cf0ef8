"""What the management plane tells of base models and quotas: by region, in the words of
live lists.
"""

from datetime import UTC, datetime

from tunedrop.emulator import catalogue, regions
from tunedrop.emulator.arm.deployments import Deployments
from tunedrop.emulator.catalogue import BaseModel
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World


class Offers:
    """The models that the region has, and the quotas of the subscription there."""

    def __init__(self, world: World, deployments: Deployments) -> None:
        self._world = world
        self._deployments = deployments

    def models(self) -> list[Doc]:
        """The base models, as the account and the location list them."""
        return [
            self._model(model)
            for model in catalogue.MODELS
            if regions.offers(model, self._world.region)
        ]

    def _model(self, model: BaseModel) -> Doc:
        return {
            "format": "OpenAI",
            "name": model.name,
            "version": model.version,
            "isDefaultVersion": catalogue.of_deployment(model.name, None) is model,
            "skus": [self._sku(model, sku, fine_tuned) for sku, fine_tuned in self._skus(model)],
            "maxCapacity": self._deployments.quota(fine_tuned=False),
            "capabilities": {
                "chatCompletion": "true",
                "inference": "true",
                **self._trained_by(model),
            },
            "deprecation": {
                "fineTune": self._day(model.fine_tuning_ends),
                "inference": self._day(model.inference_ends),
            },
            "lifecycleStatus": "Deprecated"
            if self._world.is_over(model.inference_ends)
            else model.lifecycle,
        }

    def _skus(self, model: BaseModel) -> list[tuple[str, bool]]:
        """One entry for each SKU of the model itself, and one more for each SKU of what is trained
        from it.
        """
        # So they have one name twice.
        own, tuned = (
            regions.skus(model, self._world.region, fine_tuned=one) for one in (False, True)
        )
        return [*((sku, False) for sku in own), *((sku, True) for sku in tuned)]

    def _sku(self, model: BaseModel, sku: str, fine_tuned: bool) -> Doc:
        most = self._deployments.quota(fine_tuned=fine_tuned)
        return {
            "name": sku,
            "usageName": catalogue.usage_name(model, sku, fine_tuned=fine_tuned),
            "deprecationDate": self._day(model.tuned_ends if fine_tuned else model.inference_ends),
            "capacity": {"minimum": 1, "maximum": most, "step": 1, "default": 10},
            "rateLimits": [
                {"key": "request", "renewalPeriod": 60, "count": model.requests_per_unit}
            ],
        }

    def _trained_by(self, model: BaseModel) -> dict[str, str]:
        """The capabilities that are true."""
        types = regions.training_types(model, self._world.region)
        # Live lists leave the others out.
        return {
            word: "true"
            for training_type, word in catalogue.CAPABILITIES.items()
            if training_type in types
        }

    def _day(self, day: str) -> str:
        return f"{datetime.fromtimestamp(self._world.day(day), UTC):%Y-%m-%dT%H:%M:%SZ}"

    def usages(self) -> list[Doc]:
        """The quotas of the region, by name, with what is drawn."""
        kinds = {
            catalogue.usage_name(model, sku, fine_tuned=fine_tuned): fine_tuned
            for model in catalogue.MODELS
            for fine_tuned in (False, True)
            for sku in regions.skus(model, self._world.region, fine_tuned=fine_tuned)
        }
        drawn = self._deployments.drawn()
        return [
            {
                "unit": "Count",
                "name": {"value": name, "localizedValue": name},
                "currentValue": drawn[name],
                "limit": self._deployments.quota(fine_tuned=fine_tuned),
            }
            for name, fine_tuned in kinds.items()
        ]
