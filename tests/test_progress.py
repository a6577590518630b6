"""Progress on something that is no terminal: plain lines."""

import pytest

from twinloop import progress


def test_plain_progress_ends_with_the_total_and_the_newest_figure(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("trial", 3) as trials:
        for score in (0.7, 0.8, 0.9):
            trials.step(note=f"best AP {score}")
    assert capsys.readouterr().err.splitlines()[-1].strip() == "trial 3/3  best AP 0.9"


def test_plain_progress_tells_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 30.0, 60.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(ticks))
    with progress.bar("epoch", 3) as epochs:
        epochs.step()
    assert capsys.readouterr().err.strip() == "epoch 1/3    01:00 left"


def test_tracked_items_all_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.track(iter("abc"), "part", 3)) == ["a", "b", "c"]
    assert "part 3/3" in capsys.readouterr().err


def test_the_clock_counts_minutes_and_seconds() -> None:
    assert progress.clock(161.9) == "02:41"
