"""Fixtures of all tests of conversations."""

from collections.abc import Iterator

import pytest

from tests.dialogue.server import LocalServer, local_server


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with local_server() as running:
        yield running
