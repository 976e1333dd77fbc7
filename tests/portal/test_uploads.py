"""How much of an uploaded file is let through."""

from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from portal.uploads import IMPORTS, BoundedUploadHandler

PAPER, FILE = settings.DOCUMENT_MAX_BYTES, settings.IMPORT_MAX_BYTES


@pytest.mark.parametrize(
    ("path", "start", "through"),
    [
        ("/applications/", PAPER, True),
        ("/applications/", PAPER + 1, False),
        (f"{IMPORTS}new/", PAPER + 1, True),
        (f"{IMPORTS}new/", FILE + 1, False),
    ],
)
def test_the_bound_is_that_of_the_page(rf: RequestFactory, path: str, start: int, through: bool) -> None:
    handler: Any = BoundedUploadHandler(rf.post(path))
    assert (handler.receive_data_chunk(b"x", start) is not None) == through


def test_the_pages_of_imports_are_below_that_address() -> None:
    from django.urls import reverse

    assert reverse("staff:import_upload").startswith(IMPORTS)
