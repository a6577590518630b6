import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from twinloop.errors import InputError
from twinloop.learning.drift import DriftMonitor
from twinloop.learning.drift_settings import DriftSettings

OFTEN = DriftSettings(window=50, false_alarms_per_1000_windows=100.0)


def signals(count: int, *, seed: int, share: float = 0.1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"vibration": rng.gamma(3.0, size=count), "heat": rng.normal(size=count), "alert": rng.random(count) < share}


def monitor(seed: int = 0) -> DriftMonitor:
    return DriftMonitor(signals(100, seed=seed), OFTEN, samples="rows")


def test_an_unchanged_signal_raises_no_more_alarms_than_promised() -> None:
    alarmed = 0
    for seed in range(200):
        alarmed += bool(monitor(seed).add(signals(50, seed=seed + 1000)))
    assert alarmed <= binom.ppf(0.999, 200, OFTEN.level)


def test_what_moved_is_named_and_the_share_by_an_exact_test() -> None:
    watched = monitor()
    often = signals(50, seed=1, share=0.6)
    [alarm] = watched.add(often)
    reference = signals(100, seed=0)["alert"]
    table = [[rows.sum(), (~rows).sum()] for rows in (often["alert"], reference)]
    assert (alarm.statistic, alarm.samples) == ("alert", "rows")
    assert alarm.p_value == pytest.approx(fisher_exact(table).pvalue)
    assert (alarm.observed, alarm.expected) == (often["alert"].mean(), reference.mean())
    assert str(alarm).startswith("rows 1 … 50: alert 0.")


def test_rows_in_any_portions_give_the_same_windows() -> None:
    whole, split, rows = monitor(), monitor(), signals(130, seed=1)
    whole.add(rows)
    for first in range(0, 130, 7):
        split.add({name: values[first : first + 7] for name, values in rows.items()})
    whole.finish(), split.finish()
    assert [window.count for window in whole.windows] == [50, 50, 30]
    assert whole.windows == split.windows
    assert whole.finish() == ()


def test_statistics_of_different_length_are_refused() -> None:
    rows = signals(10, seed=1)
    with pytest.raises(InputError, match="drift: expected as many values of every statistic, got .*'heat': 0"):
        monitor().add({"vibration": rows["vibration"], "alert": rows["alert"]})
