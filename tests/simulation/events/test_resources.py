import pytest

from tests.simulation.lines import PERFECT, fixed, log_of
from twinloop.errors import InputError
from twinloop.simulation import Line, Material, Operators, Shift, Station, Transport
from twinloop.simulation.events.resources import stocks_frame, utilisation_frame

LINE = Line(
    stations=(Station(name="cut", cycle=fixed(1.0), materials={"steel": 2.0}), Station(name="weld", cycle=fixed(2.0))),
    buffers=(9,),
    minutes_per_day=20,
    operators=(
        Operators(name="cutter", skills=("cut",), shifts=(Shift(start_min=0, end_min=10),)),
        Operators(name="welder", count=2, skills=("weld",)),
    ),
    transport=Transport(fleet=2, trip=fixed(0.5)),
    materials=(Material(name="steel", initial=10, reorder_at=2, order_quantity=10, lead_time=fixed(3.0)),),
    inspection=PERFECT,
)


def test_the_utilisation_is_of_the_time_on_shift():
    # Steel for parts 0–4 until 5, ordered at 3 when 2 are left, there at 6; cut 6–10, then the shift is over.
    table = utilisation_frame(log_of(LINE, minutes=20.0), LINE)
    assert table["resource"].to_list() == ["cutter", "welder_1", "welder_2", "vehicle_1", "vehicle_2"]
    assert table["kind"].to_list() == ["operator"] * 3 + ["vehicle"] * 2
    assert table["there_min"].to_list() == [10.0, 20.0, 20.0, 20.0, 20.0]
    assert table["busy_min"].to_list() == [9.0, 18.0, 0.0, 4.5, 0.0]
    assert table["utilisation"].to_list() == pytest.approx([0.9, 0.9, 0.0, 0.225, 0.0])


def test_after_the_warm_up_only_what_follows_counts():
    table = utilisation_frame(log_of(LINE, minutes=20.0), LINE, start=10.0)
    assert table["there_min"].to_list() == [0.0, 10.0, 10.0, 10.0, 10.0]
    assert table["utilisation"].to_list()[0] is None


def test_the_levels_and_stock_outs_of_a_material_are_told():
    row = stocks_frame(log_of(LINE, minutes=20.0), LINE).rows(named=True)[0]
    assert row == {
        "material": "steel",
        "delivered": 30.0,
        "used": 20.0,
        "level": 10.0,
        "lowest": 0.0,
        # 8, 6, 4, 2 and 0 for a minute each, 0 until 6; again 8, 6, 4 and 2, 0 from 10 until 12, then 10.
        "mean_level": (20 + 20 + 80) / 20,
        "stockouts": 1,
        "stockout_min": 1.0,
    }
    later = stocks_frame(log_of(LINE, minutes=20.0), LINE, start=7.5).rows(named=True)[0]
    assert (later["delivered"], later["used"], later["lowest"], later["stockouts"]) == (10.0, 6.0, 0.0, 0)


def test_a_log_of_another_line_is_refused():
    log = log_of(LINE.with_({"transport": None}), minutes=20.0)
    with pytest.raises(InputError, match="not of vehicle_1: give the line it is of"):
        utilisation_frame(log, LINE)
