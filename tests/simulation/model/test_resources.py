from pathlib import Path

import pytest
import yaml

from twinloop.config import Invalid, parse
from twinloop.simulation import Line

WORKSHOP = Path(__file__).parents[3] / "conf/factory/line/workshop.yaml"
FIXED = {"kind": "deterministic", "mean": 1.0}
SERIAL = {
    "source": {"variants": [{"name": "frame"}, {"name": "wheel"}]},
    "stations": [{"name": "saw", "cycle": FIXED}, {"name": "oven", "cycle": FIXED}, {"name": "join", "cycle": FIXED}],
    "buffers": [2, 2],
}


def changed(place: str, value: object) -> dict:
    """The workshop with one place changed, "stations.1.batch" for example."""
    plain = yaml.safe_load(WORKSHOP.read_text(encoding="utf-8"))
    *way, last = (int(key) if key.isdigit() else key for key in place.split("."))
    inner = plain
    for key in way:
        inner = inner[key]
    inner[last] = value
    return plain


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (
            "operators.0.skills",
            ["weldin"],
            "operators welder: skills: unknown station 'weldin'; did you mean 'welding'?",
        ),
        ("operators.0.skills", [], "at least 1 item"),
        ("operators.0.count", 0, "expected an integer ≥ 1"),
        (
            "operators.0.name",
            "camera",
            "different names of stations, operators, materials and spans, 'camera' comes twice",
        ),
        (
            "operators.0.shifts",
            [{"start_min": 480, "end_min": 60}],
            "expected end_min after start_min 480, got 60; a shift over midnight is two shifts",
        ),
        ("operators.0.shifts", [{"start_min": -5, "end_min": 60}], "≥ 0"),
        (
            "operators.0.shifts",
            [{"start_min": 500, "end_min": 1000}],
            "operators welder: expected shifts within the day of 960 minutes, got an end at 1000",
        ),
        (
            "operators.0.shifts",
            [{"start_min": 0, "end_min": 480}, {"start_min": 400, "end_min": 900}],
            "expected shifts one after the other, got one from 400 before the end 480 of another",
        ),
        (
            "stations.0.materials",
            {"tubes": 1.0},
            "station welding: materials: unknown material 'tubes'; did you mean 'tube'?",
        ),
        ("stations.0.materials", {"tube": 0.0}, "> 0"),
        ("materials.0.order_quantity", 0, "> 0"),
        ("materials.0.name", "paint", "'paint' comes twice"),
        ("materials.0.name", "vehicle", "'vehicle' comes twice"),
        ("materials.0.initial", -1, "≥ 0"),
        (
            "stations.1.batch",
            9,
            "station painting: a batch of 9 never comes together where 8 parts can wait: enlarge the buffer or queue",
        ),
        ("stations.1.batch", 1, "station painting: batch_wait_min needs a batch of 2 or more"),
        ("stations.1.batch", 0, "expected an integer ≥ 1"),
        ("stations.4.batch", 2, "station camera: expected batch 1 at a station that inspects, got 2"),
        ("stations.3.batch", 2, "station assembly: expected batch 1 at a station that assembles, got 2"),
        (
            "stations.3.assembles",
            {"frame": 1, "wheels": 2},
            "station assembly: assembles: unknown variant 'wheels'; did you mean 'wheel'?",
        ),
        (
            "stations.3.assembles",
            {"frame": 1},
            "station assembly: assembles: expected every variant that comes there, 'wheel' is missing",
        ),
        (
            "stations.0.assembles",
            {"frame": 1, "wheel": 2},
            "variant 'wheel' never comes there: lead its route through welding",
        ),
        ("stations.3.assembles", {"frame": 1, "wheel": 0}, "expected an integer ≥ 1"),
        ("transport.fleet", 0, "expected an integer ≥ 1"),
        ("transport", {"fleet": 1}, "transport.trip"),
        ("source.orders.0.variant", "frames", "order frames_1: unknown variant 'frames'; did you mean 'frame'?"),
        ("source.orders.0.quantity", 0, "expected an integer ≥ 1"),
        ("source.orders.2.due_min", 100, "order frames_2: expected due_min after release_min 240, got 100"),
        ("source.orders.0.name", "wheels_1", "expected different order names, 'wheels_1' comes twice"),
        ("source.interarrival", FIXED, "expected interarrival or orders, got both"),
        ("source.plan", "leveled", "did you mean 'levelled'"),
    ],
)
def test_a_workshop_that_cannot_be_is_refused_with_what_is_expected(place, value, expected):
    with pytest.raises(Invalid) as refusal:
        parse(Line, changed(place, value))
    assert expected in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_batch_in_a_buffer_that_is_too_small_is_refused_on_a_serial_line_too():
    stations = [SERIAL["stations"][0], SERIAL["stations"][1] | {"batch": 3}, SERIAL["stations"][2]]
    with pytest.raises(Invalid, match="station oven: a batch of 3 never comes together where 2 parts can wait"):
        parse(Line, SERIAL | {"stations": stations})
    parse(Line, SERIAL | {"stations": stations, "buffers": [3, 0]})


def test_an_assembly_that_rework_would_repeat_is_refused():
    stations = [
        SERIAL["stations"][0],
        SERIAL["stations"][1] | {"assembles": {"frame": 1, "wheel": 1}},
        SERIAL["stations"][2] | {"inspects": True},
    ]
    line = SERIAL | {"stations": stations, "rework": {"cycle": FIXED}}
    parse(Line, line)
    with pytest.raises(
        Invalid, match="reworked parts would come there again and be assembled twice: inspect at a later"
    ):
        parse(Line, line | {"rework": {"cycle": FIXED, "returns_to": "saw"}})


def test_minutes_per_part_follow_batches_assemblies_and_orders():
    line = Line.from_yaml(WORKSHOP)
    share = 20 / 60  # frames among the parts ordered
    expected = {
        "welding": 12 * share * (1 + 20 / 300) / 2,
        "painting": 45 * share / 4,
        "turning": 4 * 0.9 * (1 - share),
        "assembly": 11 * share,
        "camera": 1.5 * share,
        "packing": 3 * share,
    }
    found = {station.name: line.minutes_per_part(place) for place, station in enumerate(line.stations)}
    assert found == pytest.approx(expected)


def test_after_an_assembly_on_a_serial_line_only_what_was_assembled_goes_on():
    stations = [*SERIAL["stations"], {"name": "pack", "cycle": FIXED}]
    stations[1] = stations[1] | {"assembles": {"frame": 1, "wheel": 1}}
    line = parse(Line, SERIAL | {"stations": stations, "buffers": [1, 1, 1]})
    assert [line.minutes_per_part(place) for place in range(4)] == pytest.approx([1.0, 0.5, 0.5, 0.5])
