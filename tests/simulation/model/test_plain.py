import json

import pytest

from tests.simulation.lines import camera_line, exponential, queue
from tests.simulation.networks import closed, routed
from twinloop.config import parse
from twinloop.simulation import BatchCycle, Line
from twinloop.simulation.model.plain import SELDOM, plain

PAIR = {"parts": 2, "cycle": {"kind": "exponential", "mean": 1.0}}
BATCHED = queue(arrivals=0.5).with_({"stations.desk.batch": 2, "stations.desk.batch_cycles": [PAIR]})


@pytest.mark.parametrize("line", [camera_line(), closed(5), routed(3), BATCHED], ids=lambda line: line.name)
def test_a_line_comes_back_from_its_plain_values(line: Line) -> None:
    assert parse(Line, json.loads(json.dumps(plain(line)))) == line


def test_what_a_line_does_not_use_is_not_told() -> None:
    told = plain(camera_line())
    assert not SELDOM & (told.keys() | told["source"].keys() | told["stations"][0].keys())
    assert SELDOM & plain(closed(5))["stations"][0].keys() == {"unlimited"}
    assert BATCHED.stations[0].batch_cycles == (BatchCycle(parts=2, cycle=exponential()),)
