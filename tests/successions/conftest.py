"""A succession cites a document, which needs the application's place for files."""

import pytest


@pytest.fixture(autouse=True)
def _files(app) -> None:
    """The application equips the process when it is built."""
    del app
