import itertools
import math

import numpy as np
import pytest

from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import CALM, Disruptions, LateDeliveries, Luck, Rework
from twinloop.scheduling.problem import Material


def luck(disruptions: Disruptions, *, seed: int = 1, replication: int = 0, whole: bool = False) -> Luck:
    return Luck(disruptions, Streams(seed, replication), whole)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rework(1.2), "rework: probability = 1.2: expected a number from 0 to 1"),
        (lambda: Rework(-0.1), "rework: probability = -0.1: expected a number from 0 to 1"),
        (lambda: Rework(math.nan), "rework: probability = nan: expected a number from 0 to 1"),
        (lambda: Rework(1.0), "rework: probability 1 repeats an operation for ever: give the minutes of one rework"),
        (lambda: Rework(0.5, -3.0), "rework: minutes = -3: expected a finite number of at least 0"),
        (lambda: LateDeliveries(2.0, 5.0), "late deliveries: probability = 2: expected a number from 0 to 1"),
        (lambda: LateDeliveries(0.5, -5.0), "late deliveries: mean delay = -5: expected a finite number above 0"),
        (lambda: Disruptions({"mill": (50.0, -9.0)}), "breakdowns of mill: mean time to repair = -9: expected more"),
        (lambda: Disruptions({"mill": (0.0, 9.0)}), "breakdowns of mill: mean time to failure = 0: expected more"),
        (lambda: Disruptions({}, -0.1), "disruptions: duration_cv = -0.1: expected a number of at least 0"),
    ],
)
def test_impossible_numbers_are_refused_in_one_line(make, message):  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_repeated_operations_have_the_mean_of_a_geometric_number_of_trials() -> None:
    found = luck(Disruptions({}, rework={"mill": Rework(0.4)}))
    trials = [found.reworked(1.0, "mill", u) for u in found.inspections("a", 20_000)]
    # 1 / (1 − p) trials on average, variance p / (1 − p)².
    assert np.mean(trials) == pytest.approx(1 / 0.6, abs=4 * math.sqrt(0.4) / 0.6 / math.sqrt(20_000))
    assert set(trials) >= {1.0, 2.0, 3.0}
    assert found.reworked(5.0, "lathe", 0.0) == 5.0


def test_one_rework_follows_a_failed_inspection() -> None:
    found = luck(Disruptions({}, rework={"mill": Rework(0.4, 7.0)}))
    assert [found.reworked(10.0, "mill", u) for u in (0.1, 0.39, 0.4, 0.9)] == [17.0, 17.0, 10.0, 10.0]


def test_deliveries_are_late_as_often_and_as_long_as_told() -> None:
    bars = Material("bar", 0, tuple((10 * k, 1) for k in range(4000)))
    found = luck(Disruptions({}, deliveries={"bar": LateDeliveries(0.3, 20.0)}))
    late = np.array(found.arrivals(bars)) - [time for time, _ in bars.deliveries]
    assert (late >= 0).all()
    assert (late > 0).mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / 4000))
    assert late[late > 0].mean() == pytest.approx(20, rel=0.15)
    assert luck(CALM).arrivals(bars)[:3] == [0.0, 10.0, 20.0]
    assert found.deliveries(bars) == sorted(zip(found.arrivals(bars), [1] * 4000, strict=True))


def test_every_stream_is_its_own_and_whole_minutes_are_rounded_up() -> None:
    both = Disruptions({"mill": (9.0, 3.0), "saw": (9.0, 3.0)}, 0.2, rework={"mill": Rework(0.2)})
    alone = Disruptions({"mill": (9.0, 3.0)})
    first = list(itertools.islice(luck(both).breakdowns("mill"), 20))
    assert first == list(itertools.islice(luck(alone).breakdowns("mill"), 20))
    assert first != list(itertools.islice(luck(both).breakdowns("saw"), 20))
    assert first != list(itertools.islice(luck(both, replication=1).breakdowns("mill"), 20))
    for fails, up in itertools.islice(luck(both, whole=True).breakdowns("mill"), 20):
        assert fails == int(fails)
        assert up - fails >= 1
    assert not list(luck(alone).breakdowns("saw"))
