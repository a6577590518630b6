from pathlib import Path
from typing import get_type_hints

import pytest

from twinloop.config import parse
from twinloop.config.reading import read_yaml
from twinloop.twins.fleet.config import FleetSections

CONF = Path(__file__).parents[3] / "conf" / "fleet"
OPTIONS = sorted(path.relative_to(CONF) for path in CONF.glob("*/*.yaml"))


@pytest.mark.parametrize("option", OPTIONS, ids=str)
def test_every_option_of_the_configuration_can_be_chosen(option: Path) -> None:
    section = get_type_hints(FleetSections)[option.parent.name]
    assert parse(section, read_yaml(CONF / option, str(option)))


def test_trees_are_the_ensemble_without_its_network() -> None:
    ensemble, trees = (read_yaml(CONF / "predictor" / f"{name}.yaml", name) for name in ("ensemble", "trees"))
    assert trees == {name: value for name, value in ensemble.items() if name != "network"} | {"with_network": False}
