"""Random shops: Taillard's own numbers, the promised structure, the same shop again."""

import pytest

from twinloop.errors import InputError
from twinloop.scheduling import JobShop
from twinloop.scheduling.problem.generate import classical_shop, flexible_shop, rich_shop

# Taillard 1993, seeds of the first instance of 15 × 15 and its first job.
TA01 = {"time_seed": 840612802, "machine_seed": 398197754}
FIRST_JOB = "6 94 12 66 4 10 7 53 3 26 2 15 10 65 11 82 8 10 14 27 9 93 13 92 5 96 0 70 1 83"


def test_taillards_seeds_give_his_first_instance():
    shop = classical_shop(15, 15, **TA01)
    numbers = [int(word) for word in FIRST_JOB.split()]
    route = [(int(operation.machine[1:]), operation.duration) for operation in shop.jobs[0].operations]
    assert route == list(zip(numbers[::2], numbers[1::2], strict=True))


def test_the_whole_first_instance_is_the_published_one(shared_data):
    path = shared_data / "scheduling/jsp/ta/ta01.txt"
    if not path.is_file():
        pytest.skip(f"no instances at {path.parent}")
    published, shop = JobShop.read(path), classical_shop(15, 15, **TA01)

    def routes(found):
        names = sorted(found.machines, key=lambda name: int("".join(c for c in name if c.isdigit())))
        return [[(names.index(step.machine), step.duration) for step in job.operations] for job in found.jobs]

    assert routes(shop) == routes(published)


def test_a_classical_job_visits_every_machine_once():
    shop = classical_shop(4, 7, time_seed=5, machine_seed=6)
    assert all(sorted(step.machine for step in job.operations) == sorted(shop.machines) for job in shop.jobs)
    assert shop.plain
    assert not shop.flexible


def test_the_same_seed_gives_the_same_shop_and_another_seed_another():
    for make in (flexible_shop, rich_shop):
        assert make(4, 3, 3, seed=1) == make(4, 3, 3, seed=1) != make(4, 3, 3, seed=2)


def test_a_rich_shop_has_everything_a_shop_can_have():
    shop = rich_shop(30, 4, 4, seed=3)
    steps = [step for job in shop.jobs for step in job.operations]
    assert shop.flexible
    assert all((shop.closed, shop.setups, shop.transport, shop.pools, shop.materials, shop.power))
    for name in ("alternatives", "family", "pools", "materials", "no_wait", "resumable"):
        assert any(getattr(step, name) for step in steps), name
        assert name == "family" or not all(getattr(step, name) for step in steps), name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: classical_shop(0, 3, time_seed=1, machine_seed=1), "jobs = 0: expected a whole number ≥ 1"),
        (lambda: classical_shop(3, 3, time_seed=0, machine_seed=1), "time_seed = 0: expected a whole number from 1"),
        (lambda: flexible_shop(3, 3, -1, seed=1), "operations = -1"),
        (lambda: rich_shop(3, 3, 3, seed=1, families=0), "families = 0"),
    ],
)
def test_impossible_sizes_are_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message):
        make()
