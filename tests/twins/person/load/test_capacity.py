"""What the answer says of a service, of its levers, and of what was measured elsewhere."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.twins.person.profiles import HERE, profile, spoken
from tests.twins.small_loop import CONF, SilentTracker
from twinloop.config import parse
from twinloop.config.compose import compose
from twinloop.contracts import ServiceProfile
from twinloop.errors import InputError
from twinloop.twins.person import paths, simulate
from twinloop.twins.person.config import PersonConfig, ServiceSettings, SimulateSettings
from twinloop.twins.person.load.capacity import Capacity, capacity
from twinloop.twins.stage import Stage

SMALL = SimulateSettings(people=40, hours=0.2, warmup_hours=0.05, replications=3)
TWO_CORES = replace(HERE, cores=2)
BATCHES = {"hear": {1: 0.5, 2: 0.6, 4: 0.8}}


@pytest.fixture(scope="module")
def found() -> Capacity:
    return capacity(profile(spoken(), batches=BATCHES, where=TWO_CORES), ServiceSettings(), SMALL, seed=1)


def test_the_answer_names_people_interval_and_the_next_seat(found: Capacity):
    measured = found.metrics()
    people, low, high = (measured[name] for name in ("users", "users_low", "users_high"))
    assert low <= people <= high
    assert found.sentence == (
        f"{people} people can talk to it at once on this machine (p95 under 1.5\u202fs, {low} … {high}); "
        "the next seat is in the recogniser."
    )
    assert replace(found, elsewhere=("machine one, here two", "cores 8, here 2")).sentence == (
        f"{people} people can talk to it at once on 2 cores (p95 under 1.5\u202fs, {low} … {high}); "
        "the next seat is in the recogniser. Measured elsewhere: machine one, here two; cores 8, here 2."
    )
    assert "at once on 1 core (" in replace(found, service=replace(found.service, cores=1)).sentence
    assert found.bottleneck == "hear"
    assert measured["turn_p95_s"] == pytest.approx(1.5, rel=0.15)


def test_every_lever_is_a_paired_difference_in_people(found: Capacity):
    levers = {row["lever"]: row for row in found.levers.iter_rows(named=True)}
    assert list(levers) == [
        "recogniser twice as fast",
        "search twice as fast",
        "answering twice as fast",
        "voice twice as fast",
        "one more core",
        "25\u202f% of turns from the cache",
        "answers within 2.0\u202fs",
        "turned away beyond 4",
        "recogniser in batches of up to 4",
    ]
    today = found.greatest.mean
    for name in ("recogniser twice as fast", "one more core"):
        assert levers[name]["gain"] == pytest.approx(levers[name]["users"] - today)
        assert levers[name]["gain_low"] <= levers[name]["gain"] <= levers[name]["gain_high"]
        assert levers[name]["gain"] > 10
    # Batches are beside batches of one, which take no turn's own time.
    assert levers["recogniser in batches of up to 4"]["gain"] > 0


def test_of_parts_in_batches_the_one_is_shown_that_they_save_most_of():
    small = replace(SMALL, hours=0.05, replications=2)
    both = {"find": {1: 0.02, 2: 0.03}, "hear": {1: 0.5, 4: 0.8}, "speak": {1: 0.1}, "answer": {4: 0.2}}
    levers = capacity(profile(spoken(8), batches=both), ServiceSettings(cores=1), small, seed=1).levers["lever"]
    assert [lever for lever in levers if "batches" in lever] == ["recogniser in batches of up to 4"]


def test_many_people_need_workers_that_cost_what_cores_and_memory_cost(found: Capacity):
    assert found.cost_hour == pytest.approx(0.04 + 0.5 * 0.005)
    needed = found.metrics()["workers_for_people"]
    rows = {row["workers"]: row for row in found.sizes.iter_rows(named=True)}
    assert rows[needed]["cost_hour"] == pytest.approx(needed * found.cost_hour)
    assert found.metrics()["cost_for_people_hour"] == pytest.approx(rows[needed]["cost_hour"])
    held = [row["workers"] for row in rows.values() if row["holds"]]
    assert held
    assert min(held) >= needed - 1


def test_a_service_too_slow_for_one_person_says_so():
    slow = capacity(profile(spoken(hear=2.0), where=TWO_CORES), ServiceSettings(), SMALL, seed=1)
    assert slow.greatest.mean == 0
    assert slow.sentence.startswith("Nobody can talk to it on this machine with p95 under 1.5\u202fs, which takes 3.")
    assert slow.workers is None
    assert slow.users["users"].to_list() == [1, 2, 4, 8, 16]
    assert slow.metrics()["cost_per_user_hour"] is None
    assert not slow.sizes["holds"].any()


def stage(root: Path, *overrides: str) -> Stage[PersonConfig]:
    values = compose(CONF, ("profile=smoke", "person.service.cores=2", *overrides)).values
    config = parse(PersonConfig, {key: values[key] for key in ("profile", "seed", "person")})
    return Stage(config, root, SilentTracker(), 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """This run's profile, and beside it one of a larger machine with another recogniser."""
    other = replace(HERE, machine="a larger one, 64 cores", providers={"speech_to_text": "t" * 64})
    for path, own in ((paths.PROFILE, HERE), (Path("old.parquet"), other)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        profile(spoken(12), where=own).save(tmp_path / path)
    return tmp_path


def test_the_stage_writes_what_pages_and_tables_read(root: Path):
    line = simulate.run(stage(root))
    answer = json.loads((root / paths.ANSWER).read_text())
    metrics = json.loads((root / paths.metrics("simulate")).read_text())
    assert line.startswith(f"{metrics['users']} people at once")
    assert answer["measured_elsewhere"] == []
    assert answer["users_low"] <= answer["users"] <= answer["users_high"]
    columns = {
        "users": {"users", "p95_s", "low", "high", "within", "utilisation"},
        "levers": {"lever", "users", "low", "high", "gain", "gain_low", "gain_high"},
        "workers": {"workers", "cost_hour", "p95_s", "low", "high", "holds"},
    }
    for name, expected in columns.items():
        assert expected <= set(pl.read_parquet(root / paths.SIMULATION / f"{name}.parquet").columns)


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        ("[]", "measured elsewhere: machine a larger one, 64 cores, here .*; speech_to_text t*…, here s*…: measure"),
        ("[machine]", "measured elsewhere: speech_to_text .*: measure the service again, or allow speech_to_text"),
        ("[machine, speech_to_text, lungs]", "allowed.*lungs"),
    ],
)
def test_a_profile_of_another_machine_or_provider_is_refused(root: Path, allowed: str, message: str):
    with pytest.raises(InputError, match=message):
        simulate.run(stage(root, "person.service.profile=old.parquet", f"person.service.allow={allowed}"))


def test_a_profile_that_is_allowed_by_name_is_told_in_the_answer(root: Path):
    simulate.run(stage(root, "person.service.profile=old.parquet", "person.service.allow=[machine,speech_to_text]"))
    answer = json.loads((root / paths.ANSWER).read_text())
    told = f"machine a larger one, 64 cores, here {ServiceProfile.load(root / paths.PROFILE).origin.machine[:8]}"
    assert told in answer["sentence"]
    assert answer["machine"] == "a larger one, 64 cores"
    assert "speech_to_text" in json.loads((root / paths.metrics("simulate")).read_text())["measured_elsewhere"]


def test_a_profile_that_is_not_there_is_named(root: Path):
    with pytest.raises(InputError, match="none.parquet"):
        simulate.run(stage(root, "person.service.profile=none.parquet"))
