import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.learning import objectives
from tests.learning.objectives import BOTH, HEIGHT, SPACE, KilledOnce, TakenForDead, run
from twinloop.config import Invalid, parse
from twinloop.errors import InputError, RunError
from twinloop.learning.objectives import Objective
from twinloop.learning.settings import StudySettings
from twinloop.learning.study import Tried
from twinloop.search_space import Dimension


def _course(trials: tuple[Tried, ...]) -> list[tuple[dict[str, Any], float | None]]:
    return [(trial.values, trial.scores.get("height")) for trial in trials]


def test_one_and_two_workers_find_the_same(tmp_path: Path) -> None:
    alone = run(objectives.hill, tmp_path / "1.db", workers=1)
    together = run(objectives.hill, tmp_path / "2.db", workers=2)
    assert alone == together
    assert len(alone.trials) == 8
    assert alone.best.scores["height"] == max(trial.scores.get("height", 0) for trial in alone.trials)
    assert alone.pruned > 0
    assert {trial.reason for trial in alone.trials} == {"", "pruned"}


def test_another_seed_tries_other_values(tmp_path: Path) -> None:
    one, other = (run(objectives.hill, tmp_path / f"{seed}.db", seed=seed, trials=2) for seed in (1, 2))
    assert _course(one.trials) != _course(other.trials)


def test_the_search_learns_where_the_hill_is(tmp_path: Path) -> None:
    found = run(objectives.hill, tmp_path / "study.db", trials=16, batch=4, warmup_trials=4)
    assert found.best.scores["height"] > 0.98
    assert found.best.values["depth"] == 2


def test_configured_values_are_tried_first_where_the_space_holds_them(tmp_path: Path) -> None:
    start = {"x": 0.5, "depth": 9, "kind": "b", "other": 1}
    found = run(objectives.hill, tmp_path / "study.db", trials=2, start=start)
    assert found.trials[0].values["x"] == 0.5
    assert found.trials[0].values["kind"] == "b"
    assert 1 <= found.trials[0].values["depth"] <= 4


def _dominates(one: Tried, other: Tried) -> bool:
    no_worse = one.scores["height"] >= other.scores["height"] and one.scores["cost"] <= other.scores["cost"]
    return no_worse and one.scores != other.scores


def test_the_front_of_two_objectives_is_what_no_other_trial_beats(tmp_path: Path) -> None:
    found = run(objectives.compromise, tmp_path / "study.db", trials=10, batch=5, objectives=BOTH)
    finished = [trial for trial in found.trials if trial.scores]
    assert 0 < len(finished) < len(found.trials)
    undominated = [trial for trial in finished if not any(_dominates(other, trial) for other in finished)]
    assert list(found.front) == undominated
    assert found.best in found.front
    assert {trial.steps for trial in found.trials} == {2}
    assert {trial.reason.split()[0] for trial in found.trials if not trial.scores} == {"value"}


def test_a_limit_that_no_trial_keeps_loses_no_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def limited(limit: float) -> tuple[Objective, ...]:
        return (*HEIGHT, Objective("cost", "cost", "minimize", limit=limit))

    options = {"trials": 3, "start": {"x": 0.5, "depth": 1, "kind": "a"}}
    database = tmp_path / "study.db"
    with pytest.raises(RunError, match="no trial keeps within cost"):
        run(objectives.compromise, database, objectives=limited(0.1), **options)
    found = run(objectives.compromise, database, objectives=limited(9.0), **options)
    assert found.best == max(found.front, key=lambda trial: trial.scores["height"])
    assert "going on with 3 finished trials" in capsys.readouterr().err
    with sqlite3.connect(database) as connection:
        assert connection.execute("select count(*) from trials").fetchone() == (3,)
    connection.close()


def test_an_objective_that_is_minimised_is_searched_downhill(tmp_path: Path) -> None:
    depth = (Objective("depth", "depth", "minimize"),)
    found = run(objectives.depth, tmp_path / "study.db", trials=12, objectives=depth, warmup_trials=4)
    assert found.best.scores["depth"] == min(trial.scores["depth"] for trial in found.trials if trial.scores)


def test_noise_in_the_last_digits_changes_no_trial(tmp_path: Path) -> None:
    plain = run(objectives.hill, tmp_path / "a.db", trials=10, warmup_trials=3)
    noisy = run(objectives.Noisy(1e-9), tmp_path / "b.db", trials=10, warmup_trials=3)
    assert noisy == plain


def test_one_number_per_objective_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one number per objective, 2"):
        run(objectives.depth, tmp_path / "study.db", trials=1, objectives=BOTH)


def test_a_killed_process_costs_no_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    undisturbed = run(objectives.hill, tmp_path / "a.db", trials=3, batch=3, workers=3)
    found = run(KilledOnce(tmp_path / "killed"), tmp_path / "b.db", trials=3, batch=3, workers=3)
    assert found == undisturbed
    assert "was killed by signal 9; its values are tried again" in capsys.readouterr().err


def test_a_trial_that_others_took_for_dead_is_theirs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    objective = TakenForDead(tmp_path / "late", storage)
    shared = run(objective, tmp_path / "unused.db", trials=3, batch=1, workers=1, storage=storage)
    assert len(shared.trials) == 3
    assert all(trial.scores or trial.reason == "pruned" for trial in shared.trials)
    assert "trial 0: its heartbeat came late and others try its values again" in capsys.readouterr().err


def test_a_process_that_keeps_dying_stops_the_study(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"killed by signal 9 3 times with .*more memory"):
        run(objectives.always_killed, tmp_path / "study.db", trials=1, batch=1)


def test_a_diverging_trial_counts_as_stopped(tmp_path: Path) -> None:
    found = run(objectives.half_diverging, tmp_path / "study.db", warmup_trials=8)
    assert len(found.trials) == 8
    assert {trial.reason for trial in found.trials if trial.values["kind"] == "b"} == {"value nan"}
    assert found.best.values["kind"] == "a"


def test_no_finished_trial_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no trial finished"):
        run(objectives.diverging, tmp_path / "study.db", trials=2)


def test_what_a_trial_refuses_the_study_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the images are not there"):
        run(objectives.refused, tmp_path / "study.db")


def test_a_bug_in_a_trial_keeps_its_traceback(tmp_path: Path) -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(RuntimeError, match=r"(?s)trial \d with .* failed:.*KeyError: 'a bug'"):
        run(objectives.broken, tmp_path / "study.db")
    assert set(multiprocessing.active_children()) <= before


def test_a_changed_space_starts_a_new_study_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "study.db"
    run(objectives.hill, database, trials=2)
    assert "changed" not in capsys.readouterr().err
    wider = SPACE | {"x": Dimension(kind="float", low=0.0, high=2.0)}
    assert len(run(objectives.hill, database, trials=2, space=wider).trials) == 2
    assert "the search space or what it searches on changed: a new study, study-" in capsys.readouterr().err


def test_a_finished_study_is_searched_anew(tmp_path: Path) -> None:
    database = tmp_path / "study.db"
    first, again = run(objectives.hill, database, trials=2), run(objectives.hill, database, trials=2)
    assert first == again
    with sqlite3.connect(database) as connection:
        assert connection.execute("select count(*) from trials").fetchone() == (2,)
    connection.close()


def test_finished_trials_are_told_in_order(tmp_path: Path) -> None:
    told: list[Tried] = []
    found = run(objectives.hill, tmp_path / "study.db", trials=4, on_trial=told.append)
    assert tuple(told) == found.trials


def test_progress_names_the_best_score_and_the_pruned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(objectives.hill, tmp_path / "study.db", trials=4)
    assert (
        f"trial 4/4  best height {found.best.scores['height']:.3f} ({found.pruned} pruned)" in capsys.readouterr().err
    )


@pytest.mark.parametrize("address", ["sqlite:////nowhere/at/all.db", "postgresql://host/db", "nonsense"])
def test_a_database_that_cannot_be_opened_is_an_input_error(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match=r"StudySettings\.storage: .* cannot be opened"):
        run(objectives.hill, tmp_path / "study.db", storage=address)


@pytest.mark.parametrize(
    ("value", "inside"), [(1, True), (4, True), (5, False), (2.0, False), (True, False), (None, False)]
)
def test_a_dimension_knows_what_it_holds(value: object, inside: bool) -> None:
    assert SPACE["depth"].holds(value) == inside
    assert not SPACE["kind"].holds(value)


@pytest.mark.parametrize("changed", [{"trials": -1}, {"batch": 0}, {"heartbeat_s": 0}])
def test_impossible_studies_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="expected a"):
        parse(StudySettings, changed)
