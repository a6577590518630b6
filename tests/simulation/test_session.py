"""A session in a notebook, as a user types it; every object shows itself."""

import plotly.graph_objects as go
import pytest

from twinloop import simulation as sim


@pytest.fixture(scope="module")
def session(repository):
    line = sim.Line.from_yaml(repository / "conf/factory/line/assembly.yaml")
    return line, line.run(days=30, replications=40, seed=1)


def test_the_line_is_drawn_as_a_flow_diagram_with_capacities(session):
    line, _ = session
    drawn = line._repr_html_()
    assert drawn.startswith("<svg")
    assert all(station.name in drawn for station in line.stations)
    assert ">8</text>" in drawn


def test_the_result_is_a_table_of_key_figures_with_intervals(session):
    _, result = session
    face = result._repr_html_()
    assert "40 × 30 days" in face
    assert "95 % interval" in face
    assert result["oee"].low < result["oee"].mean < result["oee"].high


def test_two_results_compare_as_a_paired_difference(session):
    line, result = session
    other = line.with_(buffer_2=16).run(days=30, replications=40, seed=1)
    comparison = result.compare(other)
    assert "difference" in comparison._repr_html_()
    assert comparison["throughput_per_day"].excludes_zero
    assert comparison["throughput_per_day"].half_width < other["throughput_per_day"].half_width
    assert result.compare(line.with_(buffer_2=8).run(days=30, replications=40, seed=1))["wip"].mean == 0


def test_a_day_is_an_interactive_gantt(session):
    figure = session[1].gantt(day=3)
    assert isinstance(figure, go.Figure)
    assert {name for bars in figure.data for name in bars.y} >= {"cutting", "welding", "rework"}
