import numpy as np
import pytest

from tests.simulation.networks import closed, routed
from twinloop.errors import InputError
from twinloop.simulation.model.routing import visits

ONE = {"kind": "exponential", "mean": 1.0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source.population": 0}, "expected an integer ≥ 1"),
        ({"source.interarrival": ONE}, "expected population or interarrival, got both"),
        ({"source.orders": [{"name": "one", "variant": "part"}]}, "expected population or orders, got both"),
        ({"initial": [{"station": "s1"}]}, "expected population or initial, got both"),
        ({"spans": []}, "source.population needs a span"),
        ({"stations.s1.inspects": True}, "source.population: station s1 inspects, which scraps parts"),
        ({"stations.s2.next": {"s3": 0.5}}, "station s2: next: expected probabilities that sum to 1"),
        ({"stations.s3.next": {"s2": 1.0}}, "no part ever comes back from the loop s2 → s3 → s2 to think"),
        (
            {"source.variants": [{"name": "a", "route": ["s1"]}], "stations.s1.queue": 3},
            "source.population: all begin at s1, where only 3 can wait: drop queue",
        ),
        (
            {"operators": [{"name": "core", "skills": ["think"]}]},
            "station think: unlimited does not go with operators: nobody waits there",
        ),
        (
            {"spans": [{"name": "all", "start": "think", "end": "s3", "limit": 2}]},
            "span all: a limit does not go with think, where a population begins",
        ),
    ],
)
def test_what_a_population_does_not_go_with_is_refused_in_one_line(changes, expected):
    with pytest.raises(InputError) as caught:
        closed(5).with_(changes)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


def test_who_never_leaves_is_pointed_to_a_population():
    with pytest.raises(InputError, match="no part ever leaves the loop .* or set source.population"):
        closed(5).with_({"source.population": None})


def test_a_closed_network_visits_its_stations_as_often_as_its_branches_say():
    line = closed(5).with_({"stations.s2.next": {"s1": 0.5, "s3": 0.5}})
    assert visits(line.stations, line.source.variants, closed=True) == pytest.approx(np.array([[1, 2, 2, 1]]))
    assert [line.minutes_per_part(position) for position in range(4)] == pytest.approx([0, 0.7, 0.2, 0.15])
    assert line.bottleneck == 1


def test_a_population_neither_grows_nor_ends():
    for line in (closed(5), routed(5)):
        assert not line.saturated
        assert not line.can_grow
    assert closed(5).with_({"source.population": 9}).source.population == 9
