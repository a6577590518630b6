import dataclasses
from pathlib import Path

import pytest
import yaml

from twinloop.config import parse
from twinloop.errors import InputError
from twinloop.simulation import Economy, Line
from twinloop.simulation.maintenance.settings import MaintenanceSettings
from twinloop.simulation.maintenance.study import study
from twinloop.simulation.maintenance.upkeep import FAILURE, ORACLE

BRIEF = {"foresight": {"runs": 4, "days": 3.0, "trees": 8}, "days": 1.0, "replications": 6}


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
    assert costs["predictive"] < costs[FAILURE]
    assert (found.foresight.name, found.foresight.note) == ("sensors", "")
    assert found.alerts.recall_at() > 0
    assert (found.risks.assets, found.risks.clock) == (("welding",), "work")
    assert found.risks.issued_min == found.telemetry.frame["time_min"].max() == 3 * line.minutes_per_day
    assert "vibration" in set(found.telemetry.of_asset("welding").columns)


def test_the_same_seed_gives_the_same_study_whatever_the_number_of_workers(configured):
    line, settings = configured
    one, two = (study(line, settings, economy=Economy(), seed=5, workers=workers) for workers in (1, 2))
    assert one.policies.frame().equals(two.policies.frame())
    assert one.risks.frame.equals(two.risks.frame)
    assert (one.alerts.recall == two.alerts.recall).all()


def test_too_few_failures_to_learn_from_leave_age_alone_and_that_is_said(configured):
    line, settings = configured
    few = dataclasses.replace(settings, foresight=dataclasses.replace(settings.foresight, least_failures=1000))
    found = study(line, few, economy=Economy(), seed=3)
    assert (found.foresight.name, found.alerts.model) == ("age", "age")
    assert "1000 are needed to learn from sensors: failures are foreseen by age alone" in found.foresight.note
    # Lives of a coefficient of variation of 0.4: a Weibull shape of about 2.7 (both have the same two moments).
    law = found.foresight.model.components["wear part"].age
    assert 1.8 < law.shape < 4.0
    assert found.risks.frame["low"].to_numpy() == pytest.approx(found.risks.frame["high"].to_numpy())


def test_without_a_failure_there_is_nothing_to_learn_from_and_that_is_said(configured):
    line, settings = configured
    short = dataclasses.replace(settings, foresight=dataclasses.replace(settings.foresight, runs=2, days=0.05))
    with pytest.raises(InputError, match=r"foresight: 0 failures in 2 lives: .* \(runs, days\)"):
        study(line, short, economy=Economy(), seed=3)


def test_a_station_that_cannot_be_studied_is_refused(configured):
    line, settings = configured
    with pytest.raises(InputError, match="MaintenanceSettings.station: unknown name 'weldin'; did you mean 'welding'"):
        study(line, dataclasses.replace(settings, station="weldin"), economy=Economy())
    with pytest.raises(
        InputError, match="MaintenanceSettings.station: packing has no repair time: give it one, or study another"
    ):
        study(line, dataclasses.replace(settings, station="packing"), economy=Economy())
