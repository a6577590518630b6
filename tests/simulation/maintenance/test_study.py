import dataclasses
from pathlib import Path

import pytest
import yaml

from twinloop.config import parse
from twinloop.errors import InputError
from twinloop.simulation import Economy, Line
from twinloop.simulation.maintenance.study import MaintenanceSettings, study
from twinloop.simulation.maintenance.upkeep import FAILURE, ORACLE

BRIEF = {"learning_days": 5.0, "days": 1.0, "replications": 6}


@pytest.fixture(scope="module")
def configured(repository: Path) -> tuple[Line, MaintenanceSettings]:
    text = (repository / "conf/factory/maintenance/default.yaml").read_text()
    return (
        Line.from_yaml(repository / "conf/factory/line/assembly.yaml"),
        parse(MaintenanceSettings, yaml.safe_load(text) | BRIEF),
    )


def test_maintenance_of_the_default_line_beats_running_to_failure_and_never_the_oracle(configured):
    line, settings = configured
    found = study(line, settings, economy=Economy(), seed=3)
    costs = {name: found.policies.figure(name).mean for name in (*found.policies.ranking, ORACLE)}
    assert costs["condition"] < costs[FAILURE]
    assert min(costs, key=lambda name: costs[name]) == ORACLE
    assert found.alerts.recall_at() > 0
    assert found.risks.assets == ("welding",)
    assert "vibration" in set(found.telemetry.of_asset("welding").columns)


def test_the_same_seed_gives_the_same_study_whatever_the_number_of_workers(configured):
    line, settings = configured
    one, two = (study(line, settings, economy=Economy(), seed=5, workers=workers) for workers in (1, 2))
    assert one.policies.frame().equals(two.policies.frame())
    assert one.risks.frame.equals(two.risks.frame)


def test_a_station_that_cannot_be_studied_is_refused(configured):
    line, settings = configured
    with pytest.raises(InputError, match="MaintenanceSettings.station: unknown name 'weldin'; did you mean 'welding'"):
        study(line, dataclasses.replace(settings, station="weldin"), economy=Economy())
    with pytest.raises(
        InputError, match="MaintenanceSettings.station: packing has no repair time: give it one, or study another"
    ):
        study(line, dataclasses.replace(settings, station="packing"), economy=Economy())
