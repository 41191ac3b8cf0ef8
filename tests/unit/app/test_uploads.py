"""Which file at the service is this run's own upload."""

import pytest

from activities.upload_file import is_whole
from shared.services.azure_openai import FileFacts
from tests.builders import a_plan


@pytest.mark.parametrize(
    ("status", "size", "adopted"),
    [
        pytest.param("processed", 100, True, id="whole"),
        pytest.param("pending", None, True, id="size not told yet"),
        pytest.param("error", 100, True, id="whole, but the service can't use it"),
        pytest.param("processed", 60, False, id="cut short"),
        pytest.param("error", 60, False, id="cut short, in error"),
        pytest.param("error", None, False, id="in error, size not told"),
    ],
)
def test_upload_is_adopted_when_it_is_whole(status: str, size: int | None, adopted: bool) -> None:
    """A whole file that ended in error is this run's too: uploading it again would leave it behind,
    and end the same.
    """
    assert (
        is_whole(FileFacts("file-1", "travel.jsonl", status, size), a_plan().training_file)
        is adopted
    )
