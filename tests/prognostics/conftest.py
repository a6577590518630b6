"""One small fleet and its model, for all tests that need a trained one."""

import pytest

from tests.prognostics.models.fleet import HAZARD, Fleet, fleet
from twinloop.prognostics.models.hazard import HazardModel, fit_hazard


@pytest.fixture(scope="session")
def trained() -> Fleet:
    return fleet()


@pytest.fixture(scope="session")
def model(trained: Fleet) -> HazardModel:
    return fit_hazard(trained.table, trained.lives, HAZARD, seed=0)


@pytest.fixture(scope="session")
def other(trained: Fleet) -> Fleet:
    return fleet(seed=1, reference=trained.reference)
