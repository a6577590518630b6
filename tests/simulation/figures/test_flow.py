from xml.etree import ElementTree

import pytest

from tests.simulation.figures.drawn import LINES, SERIAL, branching, shop
from tests.simulation.lines import camera_line, fixed, serial_line
from twinloop.simulation import Rework
from twinloop.simulation.figures.flow import line_svg, shortened

HOSTILE = "<script>alert(1)</script>"


def texts(drawn: str) -> list[str]:
    return [
        "".join(element.itertext()) for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("text")
    ]


def test_a_line_is_drawn_with_its_stations_and_capacities():
    drawn = camera_line(rework=Rework(cycle=fixed(3.0), buffer=13)).with_(buffer_1=17)._repr_html_()
    shown = " ".join(texts(drawn))
    for word in ("press", "camera", "17", "13", "∞", "rework", "at most 1×", "scrap", "bottleneck"):
        assert word in shown


def test_a_line_without_inspection_has_no_lower_row():
    assert "scrap" not in serial_line(2, buffer=1)._repr_html_()
    assert "scrap" in camera_line()._repr_html_()


@pytest.mark.parametrize("name", LINES)
def test_any_line_can_be_drawn_and_names_all_its_stations(name):
    drawn = line_svg(LINES[name])
    shown = " ".join(texts(drawn))
    assert all(station.name in shown for station in LINES[name].stations)
    assert "min/part" in shown
    label = ElementTree.fromstring(drawn).get("aria-label")
    assert label.startswith(f"Line {LINES[name].name}: ")


def test_what_stations_need_and_who_is_there_is_told():
    shown = " ".join(texts(line_svg(LINES["needy"])))
    for word in (
        "0.5 steel",
        "10 at a time",
        "by sawyers",
        "2 × sawyers",
        "0 … 400",
        "crew of 1",
        "2 vehicles",
        "900 in",
    ):
        assert word in shown


def test_branches_carry_their_share_and_routes_are_told():
    assert {"60 %", "30 %", "75 %"} <= set(texts(line_svg(branching())))
    assert "logic: litho → etch → litho → implant → test" in texts(line_svg(LINES["re-entrant"]))


def test_of_many_routes_the_first_are_told_and_the_rest_is_counted():
    shown = texts(line_svg(shop(5, 15)))
    assert sum("→" in text for text in shown) == 12
    assert "and 3 more variants" in shown


def test_several_machines_are_one_box():
    assert any("2 × mill" in text for text in texts(line_svg(SERIAL)))


@pytest.mark.parametrize("letters", range(4, 12))
def test_long_names_are_cut_in_the_middle(letters):
    assert len(shortened("station_number_12", letters)) == letters
    assert shortened("station_number_12", letters)[-1] == "2"
    assert shortened("saw", letters) == "saw"


def test_hostile_names_are_escaped():
    drawn = line_svg(camera_line().with_(name=HOSTILE))
    assert "<script" not in drawn
    assert HOSTILE in texts(drawn)
