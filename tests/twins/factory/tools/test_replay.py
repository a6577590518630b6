"""The tool shows a line as its log tells it, simulated or real."""

import json

import pytest

from tests.simulation.lines import log_of
from twinloop.cli import main
from twinloop.simulation import Economy, Line
from twinloop.simulation.events.kpi import kpis
from twinloop.simulation.events.mirror import replay

LINE = """
name: cell
minutes_per_day: 100
stations:
  - {name: press, cycle: {kind: lognormal, mean: 2, cv: 0.3}}
  - {name: pack, cycle: {kind: lognormal, mean: 1.5, cv: 0.3}}
buffers: [3]
"""


@pytest.fixture
def cell(tmp_path, monkeypatch, repository):
    monkeypatch.chdir(repository)
    path = tmp_path / "cell.yaml"
    path.write_text(LINE)
    return path


def test_a_saved_log_is_shown_as_it_was_at_a_minute(cell, tmp_path, capsys):
    line = Line.from_yaml(cell)
    log = log_of(line, minutes=300.0)
    log.save(tmp_path / "events.parquet")
    assert main(["replay", str(tmp_path / "events.parquet"), "--line", str(cell), "--at", "120.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    state = replay(log, line, at=120.5)
    assert told["state"] == json.loads(json.dumps(state.record()))
    assert told["kpis"] == pytest.approx(kpis(log.until(120.5), line, Economy(), start=0.0)[0], rel=1e-12)
    assert main(["replay", str(tmp_path / "events.parquet"), "--line", str(cell)]) == 0
    shown = capsys.readouterr().out
    assert "cell, minute 300:" in shown
    assert "Throughput" in shown


def test_a_plants_log_is_mended_aloud_and_has_no_figures_before_a_part_has_left(cell, tmp_path, capsys):
    (tmp_path / "plant.csv").write_text(
        "time_min,event,entity,part\n1,running,press,17\n0,enter,source,17\n0,enter,source,17\n"
    )
    assert main(["replay", str(tmp_path / "plant.csv"), "--line", str(cell)]) == 0
    told = capsys.readouterr()
    assert "press  running     0.0 min, part 17" in told.out
    assert "Throughput" not in told.out
    assert "1 of 3 rows came twice and were left out" in told.err
    assert "sorted" in told.err
    assert "no part has left cell by minute 1: there are no key figures yet" in told.err


def test_a_minute_after_the_end_and_a_file_that_is_none_exit_with_2(cell, tmp_path, capsys):
    log_of(Line.from_yaml(cell), minutes=50.0).save(tmp_path / "events.parquet")
    assert main(["replay", str(tmp_path / "events.parquet"), "--line", str(cell), "--at", "51"]) == 2
    assert "replay: minute 51: expected 0 to 50, where the log ends" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "none.parquet"), "--line", str(cell)]) == 2
    assert "no such file" in capsys.readouterr().err
