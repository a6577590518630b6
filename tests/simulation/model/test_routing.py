"""What a routed line may look like, and how often a part visits its stations."""

import pytest

from tests.simulation.lines import fixed
from twinloop.config import Invalid, parse
from twinloop.simulation import Line, Station, Variant
from twinloop.simulation.model.routing import visits


def station(name: str, **settings: object) -> dict[str, object]:
    return {"name": name, "cycle": {"kind": "deterministic", "mean": 1.0}, **settings}


def routes(**ways: list[str]) -> dict[str, object]:
    return {"variants": [{"name": name, "route": way} for name, way in ways.items()]}


ARRIVING = {"interarrival": {"kind": "exponential", "mean": 5.0}}
TRIO = [station("saw"), station("lathe"), station("pack")]


def branching(**ways: dict[str, float]) -> list[dict[str, object]]:
    return [station(name, next=ways.get(name, {})) for name in ("saw", "lathe", "pack")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            {"stations": TRIO, "source": routes(a=["saw", "lahte"])},
            "variant a: route: unknown station 'lahte'; did you mean 'lathe'?",
        ),
        (
            {"stations": TRIO, "source": routes(a=["saw", "oven"])},
            "unknown station 'oven'; known: saw, lathe, pack",
        ),
        ({"stations": TRIO, "source": routes(a=[])}, "at least 1 item"),
        (
            {"stations": branching(saw={"packs": 0.5})},
            "station saw: next: unknown station 'packs'; did you mean 'pack'?",
        ),
        ({"stations": branching(saw={"pack": 1.5})}, "stations.0.next.pack = 1.5: expected a number ≤ 1"),
        ({"stations": branching(saw={"pack": -0.5})}, "expected a number ≥ 0"),
        (
            {"stations": branching(saw={"pack": 0.7, "lathe": 0.4})},
            "station saw: next: expected probabilities that sum to at most 1 (the rest leaves), got 1.1",
        ),
        (
            {"stations": branching(saw={"lathe": 1.0}, lathe={"pack": 1.0}, pack={"saw": 1.0})},
            "no part ever leaves the loop saw → lathe → pack → saw: lower a probability of its next",
        ),
        (
            {"stations": branching(saw={"lathe": 0.5}, lathe={"pack": 1.0}, pack={"lathe": 1.0})},
            "no part ever leaves the loop lathe → pack → lathe",
        ),
        ({"stations": branching(saw={"saw": 1.0})}, "no part ever leaves the loop saw → saw"),
        (
            {"stations": branching(saw={"lathe": 0.5}), "source": routes(a=["saw", "lathe"])},
            "variant a: expected a route of one station, where it enters, as stations branch (next); got 2",
        ),
        (
            {"stations": TRIO, "source": routes(a=["saw"], b=["lathe", "saw"])},
            "expected source.interarrival or orders where variants enter at different stations (lathe, saw)",
        ),
        (
            {"stations": TRIO, "source": routes(a=["saw"]), "buffers": [1, 1]},
            "a routed line takes no buffers: give each station its own queue",
        ),
        (
            {"stations": [station("saw", queue=4)]},
            "station saw: queue is for routed lines (a variant with a route, a station with next)",
        ),
        ({"stations": [station("saw", queue=-1)], "source": routes(a=["saw"])}, "stations.0.queue = -1: expected"),
        (
            {
                "stations": [station("saw"), station("camera", inspects=True)],
                "source": routes(a=["saw", "camera"]),
                "rework": {"cycle": {"kind": "deterministic", "mean": 1.0}, "returns_to": "saw"},
            },
            "rework.returns_to = 'saw': expected the inspecting station (camera)",
        ),
        ({"stations": TRIO, "buffers": [1, 1], "crew": {"size": 0}}, "crew.size = 0: expected an integer ≥ 1"),
        (
            {
                "stations": TRIO,
                "buffers": [1, 1],
                "transport": {"fleet": 0, "trip": {"kind": "exponential", "mean": 1}},
            },
            "transport.fleet = 0: expected an integer ≥ 1",
        ),
        ({"stations": [station("saw", servers=0)]}, "stations.0.servers = 0: expected an integer ≥ 1"),
        ({"stations": [station("saw", repair_priority=-1)]}, "stations.0.repair_priority = -1: expected"),
    ],
)
def test_a_line_that_cannot_be_routed_is_refused_in_one_line(line, expected):
    with pytest.raises(Invalid) as caught:
        parse(Line, line)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_variants_may_enter_at_different_stations_when_they_arrive():
    source = routes(a=["saw", "pack"], b=["lathe", "pack"]) | ARRIVING
    assert parse(Line, {"stations": TRIO, "source": source}).entries == (0, 1)


def test_visits_of_routes_are_counted_and_those_of_branches_solve_the_traffic_equations():
    plain = tuple(Station(name=name, cycle=fixed(1.0)) for name in "abc")
    ways = (Variant(name="v", route=("a", "b", "a")), Variant(name="w"))
    assert visits(plain, ways).tolist() == [[2, 1, 0], [1, 1, 1]]
    loop = (
        Station(name="a", cycle=fixed(1.0), next={"b": 0.5, "c": 0.3}),
        Station(name="b", cycle=fixed(1.0), next={"a": 0.25}),
        plain[2],
    )
    enter = (Variant(name="v"), Variant(name="w", route=("b",)))
    assert visits(loop, enter).ravel().tolist() == pytest.approx([8 / 7, 4 / 7, 12 / 35, 2 / 7, 8 / 7, 3 / 35])


def test_the_bottleneck_of_a_routed_line_counts_every_visit():
    stations = [station("saw", cycle={"kind": "deterministic", "mean": 2.0}), *TRIO[1:]]
    line = parse(Line, {"stations": stations, "source": routes(a=["saw", "lathe", "pack", "lathe", "pack", "lathe"])})
    assert [line.minutes_per_part(position) for position in range(3)] == [2.0, 3.0, 2.0]
    assert line.bottleneck == 1
