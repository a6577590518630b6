import dataclasses

import pytest

from tests.scheduling.shops import rich_shop
from twinloop.errors import InputError
from twinloop.scheduling import JobShop
from twinloop.scheduling.problem.generate import classical_shop, flexible_shop

PLAIN = classical_shop(3, 2, time_seed=7, machine_seed=8)


@pytest.mark.parametrize(
    ("name", "shop"),
    [
        ("rich.json", rich_shop()),
        ("orders.csv", flexible_shop(3, 3, 2, seed=1)),
        ("plain.txt", PLAIN),
        ("flexible.fjs", flexible_shop(3, 3, 2, seed=2)),
    ],
)
def test_a_shop_is_written_in_the_form_of_its_ending_and_read_back(name, shop, tmp_path):
    shop.write(tmp_path / name)
    read = JobShop.read(tmp_path / name)
    # The text formats name machines and jobs by their place.
    assert [[o.modes[0].duration for o in job.operations] for job in read.jobs] == [
        [o.modes[0].duration for o in job.operations] for job in shop.jobs
    ]
    assert len(read.machines) == len(shop.machines)
    assert name != "rich.json" or read == shop


def test_a_form_that_cannot_say_it_is_refused(tmp_path):
    waiting = dataclasses.replace(PLAIN, transport={("m0", "m1"): 4})
    for name in ("orders.csv", "plain.txt"):
        with pytest.raises(InputError, match="write JSON"):
            waiting.write(tmp_path / name)
