import pytest

from tests.simulation.lines import camera_line, curve, serial_line
from twinloop.errors import InputError
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.system import chosen_engine


def test_both_engines_give_the_same_figures():
    scenarios = [
        Scenario("camera", camera_line(), curve(draws=3, spread=0.1)),
        Scenario("line", serial_line(3, buffer=2, failure=50.0, repair=5.0)),
    ]
    simpy, compiled = (
        run_scenarios(scenarios, days=0.5, warmup_days=0.1, replications=4, seed=2, engine=engine)
        for engine in ("simpy", "compiled")
    )
    for name in ("camera", "line"):
        assert (simpy[name].engine, compiled[name].engine) == ("simpy", "compiled")
        for kpi in KPIS:
            assert compiled[name].values(kpi) == pytest.approx(simpy[name].values(kpi), rel=1e-9)
        assert compiled[name].states["share"].to_list() == pytest.approx(
            simpy[name].states["share"].to_list(), abs=1e-9
        )


def test_auto_takes_the_compiled_engine_where_it_can_and_says_so():
    line = serial_line(2, buffer=1)
    moved = line.with_(transport={"fleet": 1, "trip": {"kind": "deterministic", "mean": 0.1}})
    assert chosen_engine(line, "auto") == "compiled"
    assert chosen_engine(moved, "auto") == "simpy"
    result = line.run(days=0.2, replications=2)
    assert result.engine == "compiled"
    assert "engine compiled" in result._repr_html_()


def test_the_compiled_engine_by_name_names_what_it_refuses():
    line = serial_line(2, buffer=1).with_({"transport": {"fleet": 1, "trip": {"kind": "deterministic", "mean": 0.1}}})
    with pytest.raises(InputError) as caught:
        line.run(days=0.2, replications=2, engine="compiled")
    assert "engine = 'compiled': serial has transport (a trip promises room before it begins), which the" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)
