"""A shop built in Python of the wrong kinds of things is refused in one line that names the place."""

from collections.abc import Callable
from typing import Any

import pytest

from twinloop.errors import InputError
from twinloop.scheduling import Job, JobShop, Material, Operation, Pool
from twinloop.scheduling.execution.disruptions import CALM
from twinloop.scheduling.execution.execution import replicate

MILL = Operation("mill", 3)
SHOP = JobShop(("mill",), (Job("a", (MILL,)),))
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a text for names": (lambda: JobShop("mill", SHOP.jobs), "shop: machines: expected a tuple of names, got 'mill'"),
    "a number for a job": (lambda: JobShop(("mill",), (1,)), "shop: jobs: expected Job objects, got 1"),
    "a job alone": (lambda: JobShop(("mill",), SHOP.jobs[0]), "shop: jobs: expected a tuple of Job objects, got Job"),
    "an operation alone": (
        lambda: JobShop(("mill",), (Job("a", MILL),)),
        "job a: operations: expected a tuple of Oper",
    ),
    "a pair for an alternative": (
        lambda: JobShop(("mill",), (Job("a", (Operation("mill", 3, (("saw", 3),)),)),)),
        "job a operation 0: alternatives: expected Alternative objects, got ('saw', 3)",
    ),
    "a text for the jobs before": (
        lambda: JobShop(("mill",), (Job("a", (MILL,), after="b"),)),
        "job a: after: expected a tuple of names, got 'b'",
    ),
    "a list for pools": (
        lambda: JobShop(("mill",), (Job("a", (Operation("mill", 3, pools=["jig"]),)),), pools=(Pool("jig"),)),
        "job a operation 0: pools: expected a mapping, got ['jig']",
    ),
    "pairs for windows": (
        lambda: JobShop(("mill",), SHOP.jobs, closed={"mill": ((1, 2),)}),
        "machine mill: closed: expected Window objects, got (1, 2)",
    ),
    "names for set-ups": (
        lambda: JobShop(("mill",), SHOP.jobs, setups={"mill": {"ab": 2}}),
        "setups of mill: expected pairs (before, after), got 'ab'",
    ),
    "a number for a delivery": (
        lambda: JobShop(("mill",), SHOP.jobs, materials=(Material("bar", 0, (3,)),)),
        "material bar: deliveries: expected pairs (time, quantity), got 3",
    ),
    "no workers": (lambda: SHOP.solve(workers=0, iterations=2), "workers = 0: expected a whole number of threads ≥ 1"),
    "no processes": (
        lambda: replicate(SHOP, {}, CALM, seed=1, replications=2, workers=0),
        "workers = 0: expected a number of processes ≥ 1",
    ),
    "a keyword": (lambda: SHOP.solve(iteration=2), "solve: unknown keyword 'iteration'; did you mean 'iterations'?"),
    "a limit of letters": (lambda: SHOP.solve(iterations="x"), "limit: iterations = 'x': expected a number above 0"),
}


@pytest.mark.parametrize(("build", "message"), WRONG.values(), ids=WRONG.keys())
def test_the_wrong_kind_of_thing_is_named_with_its_place(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(message)
