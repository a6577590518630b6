"""An order book for a shop: products, quantities, release and promised dates, with scrap made up for.

A customer is promised a date for good pieces; the shop starts more pieces because some fail inspection.
So a worse first-pass yield lengthens operations but moves no due date. Draws do not depend on
the yield: two yields are compared on the same orders.
"""

import math

import numpy as np

from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.problem.settings import Product, Rush, ShopSettings


def orders(settings: ShopSettings, *, seed: int, first_pass_yield: float = 1.0) -> JobShop:
    """The shop's order book as a problem in minutes; job names sort in the order of arrival.

    Raises InputError for a yield outside (0, 1].
    """
    if not 0 < first_pass_yield <= 1:
        raise InputError(f"orders: expected a first-pass yield above 0 and up to 1, got {first_pass_yield:g}")
    streams = Streams(seed, 0)
    shares = np.array([product.share for product in settings.products])
    count = settings.orders
    products = streams.generator("order", "product").choice(len(shares), count, p=shares / shares.sum())
    quantity_stream = streams.generator("order", "quantity")
    quantities = quantity_stream.integers(settings.smallest_quantity, settings.largest_quantity, count, endpoint=True)
    window = settings.release_window_min
    releases = np.sort(streams.generator("order", "release").integers(0, window, count, endpoint=True))
    weights = streams.generator("order", "weight").choice(settings.weights, count)
    digits = len(str(count))
    jobs = []
    for k in range(count):
        product, quantity, release = settings.products[products[k]], int(quantities[k]), int(releases[k])
        promised = sum(operation.duration for operation in _routing(product, quantity))
        jobs.append(
            Job(
                name=f"{k + 1:0{digits}d}_{product.name}",
                operations=_routing(product, math.ceil(quantity / first_pass_yield)),
                release=release,
                due=release + math.ceil(settings.due_tightness * promised),
                weight=int(weights[k]),
                firm=settings.firm_due_dates,
            )
        )
    return JobShop(tuple(machine.name for machine in settings.machines), tuple(jobs))


def rush_job(settings: ShopSettings, rush: Rush, *, name: str, first_pass_yield: float = 1.0) -> Job:
    """The job of a rush order. Raises InputError for a product that the shop does not make."""
    products = {product.name: product for product in settings.products}
    if rush.product not in products:
        raise InputError(f"Rush.product = {rush.product!r}: not in the shop; known: {', '.join(products)}")
    pieces = math.ceil(rush.quantity / first_pass_yield)
    routing = _routing(products[rush.product], pieces)
    return Job(name, routing, release=rush.release_min, due=rush.due_min, weight=rush.weight)


def _routing(product: Product, pieces: int) -> tuple[Operation, ...]:
    return tuple(
        Operation(step.machine, max(1, math.ceil(step.setup_min + pieces * step.piece_min))) for step in product.routing
    )
