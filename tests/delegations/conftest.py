"""Delegations cite documents, which need the application's place for files."""

import pytest


@pytest.fixture(autouse=True)
def _files(app) -> None:
    """The application equips the process when it is built."""
    del app
