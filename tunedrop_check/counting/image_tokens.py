"""Tokens of images by the service's published formula for gpt-4o and gpt-4.1: an estimate, for the
formula is no promise.
"""

from collections.abc import Iterable

import msgspec

from ..formats import images
from ..reading.json_types import JsonObject

# An image of low detail is 85 tokens. Of any other it is scaled down to fit a square of 2,048
# pixels, then down to 768 on its shorter side, and each tile of 512 by 512 that it touches is 170
# tokens more. Source: Azure OpenAI's guide on models with vision.
BASE = 85
PER_TILE = 170
# An image at an address, or one whose header can't be read, is taken as a square of this side, in
# pixels: 765 tokens.
ASSUMED_SIDE = 1024

# No image has more: 8 tiles, of 2,048 by 768 pixels.
MOST = 1445

_SQUARE = 2048
_SHORT_SIDE = 768
_TILE = 512


class ImageTokens(msgspec.Struct):
    """Estimated tokens of the images of a file or span; `assumed`: the images of unknown size."""

    images: int = 0
    assumed: int = 0
    tokens: int = 0

    def add(self, messages: Iterable[JsonObject]) -> bool:
        """Take the images of the next example; whether it has any."""
        before = self.images
        for part in images.images_in(messages):
            width, height = images.size_of(part)
            known = width > 0 and height > 0
            self.images += 1
            low = images.detail_of(part) == "low"
            self.assumed += not (known or low)
            self.tokens += (
                BASE
                if low
                else tokens_of(width, height)
                if known
                else tokens_of(ASSUMED_SIDE, ASSUMED_SIDE)
            )
        return self.images > before

    @property
    def at_most(self) -> int:
        """The tokens where each image of unknown size is as large as one can be."""
        return self.tokens + self.assumed * (MOST - tokens_of(ASSUMED_SIDE, ASSUMED_SIDE))

    def merge(self, later: "ImageTokens") -> None:
        """Add those of a later part."""
        self.images += later.images
        self.assumed += later.assumed
        self.tokens += later.tokens


def tokens_of(width: int, height: int) -> int:
    """Estimated tokens of an image of this size, in pixels, at high detail."""
    # `auto` is taken for high.
    longer, shorter = max(width, height), min(width, height)
    if longer > _SQUARE:
        longer, shorter = _SQUARE, max(shorter * _SQUARE // longer, 1)
    if shorter > _SHORT_SIDE:
        longer, shorter = longer * _SHORT_SIDE // shorter, _SHORT_SIDE
    return BASE + PER_TILE * -(-longer // _TILE) * -(-shorter // _TILE)
