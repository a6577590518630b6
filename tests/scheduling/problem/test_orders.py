from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from twinloop.config import parse
from twinloop.errors import InputError
from twinloop.scheduling import Product, ShopMachine, ShopSettings, Step
from twinloop.scheduling.problem.orders import orders

SHOP = ShopSettings(
    machines=(ShopMachine(name="mill"), ShopMachine(name="press")),
    products=(
        Product(name="plate", routing=(Step(machine="mill", setup_min=5.0, piece_min=2.0), Step(machine="press"))),
        Product(name="ring", share=3.0, routing=(Step(machine="press", piece_min=0.5),)),
    ),
    orders=40,
    smallest_quantity=10,
    largest_quantity=10,
)


def test_scrap_lengthens_operations_and_moves_no_due_date() -> None:
    perfect, poor = orders(SHOP, seed=3), orders(SHOP, seed=3, first_pass_yield=0.5)
    assert [(j.name, j.release, j.due, j.weight) for j in perfect.jobs] == [
        (j.name, j.release, j.due, j.weight) for j in poor.jobs
    ]
    plates = [(a, b) for a, b in zip(perfect.jobs, poor.jobs, strict=True) if a.name.endswith("plate")]
    assert plates
    for before, after in plates:
        assert [operation.duration for operation in before.operations] == [25, 10]
        assert [operation.duration for operation in after.operations] == [45, 20]


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_better_yield_never_makes_an_operation_longer(first: float, second: float) -> None:
    worse, better = (orders(SHOP, seed=1, first_pass_yield=y).jobs for y in sorted((first, second)))
    for a, b in zip(worse, better, strict=True):
        assert all(x.duration >= y.duration for x, y in zip(a.operations, b.operations, strict=True))


def test_due_dates_are_the_promised_multiple_of_the_orders_own_work() -> None:
    for job in orders(replace(SHOP, due_tightness=3.0), seed=1).jobs:
        assert job.due == job.release + 3 * job.work


def test_orders_depend_on_the_seed_alone_and_arrive_in_order() -> None:
    assert orders(SHOP, seed=1) == orders(SHOP, seed=1) != orders(SHOP, seed=2)
    jobs = orders(SHOP, seed=1).jobs
    assert [job.name for job in jobs] == sorted(job.name for job in jobs)
    assert [job.release for job in jobs] == sorted(job.release for job in jobs)
    assert max(job.release for job in jobs) <= SHOP.release_window_min


def test_shares_are_respected() -> None:
    jobs = orders(replace(SHOP, orders=4000), seed=1).jobs
    rings = sum(job.name.endswith("ring") for job in jobs) / len(jobs)
    # Three standard deviations of a share of 0.75 among 4000.
    assert rings == pytest.approx(0.75, abs=0.021)


def test_firm_promises_reach_the_problem() -> None:
    assert all(job.firm for job in orders(replace(SHOP, firm_due_dates=True), seed=1).jobs)


@pytest.mark.parametrize("value", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_an_impossible_yield_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="expected a first-pass yield above 0 and up to 1"):
        orders(SHOP, seed=1, first_pass_yield=value)


def test_the_committed_shop_makes_a_valid_problem(repository: Path) -> None:
    committed = yaml.safe_load((repository / "conf/factory/shop/default.yaml").read_text())
    shop = orders(parse(ShopSettings, committed), seed=1, first_pass_yield=0.95)
    assert len(shop.jobs) == 20
    assert len(shop.machines) == 6
