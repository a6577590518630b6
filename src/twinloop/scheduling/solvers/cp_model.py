"""The shop as a CP-SAT model: an interval for each operation and mode, and the routes through the shop.

Domains are what routes, calendars and the incumbent leave (`bounds.spans`). A calendar is no interval here but holes
in the domain of the start; a pause is a choice between stretches of equal elapsed time. Operations in `kept` stay
where they are and only those that could touch a free one are in the model, so that a neighbourhood of a large plan
makes a small model. An order that may be left out has a literal, without which nothing is asked of its operations.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ortools.sat.python.cp_model import Domain

from twinloop.contracts import Assignment
from twinloop.scheduling.bounds import Mode, Spans
from twinloop.scheduling.heads import Key
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.calendar import Closures
from twinloop.scheduling.question import in_time
from twinloop.scheduling.solvers.cp_draft import Draft, Expression, Literal, Placed, Visit
from twinloop.scheduling.solvers.cp_resources import limit_materials, limit_resources


def draft(
    shop: JobShop,
    spans: Spans,
    *,
    hint: Mapping[Key, Assignment] | None = None,
    kept: Mapping[Key, Assignment] | None = None,
    closures: Closures | None = None,
    until: float = math.inf,
) -> Draft | None:
    """The model without a goal; None when some operation that must be done has no place left.

    kept: what stays, as far as it can matter. closures: of the shop, where the caller has them. Raises TimeoutError
    when `time.perf_counter` gets past `until`.
    """
    hopeless = _hopeless(shop, spans)
    spans = {key: modes for key, modes in spans.items() if key[0] not in hopeless}
    if not all(spans.values()):
        return None
    model = Draft(shop, spans, hint or {}, kept or {}, closures or Closures(shop))
    _choices(model, without=hopeless)
    for key, modes in spans.items():
        in_time(until)
        if key in model.kept:
            a = model.kept[key]
            model.placed[key] = Placed(a.start, a.end, {a.machine: True})
        else:
            _place(model, key, modes)
    _routes(model)
    limit_resources(model, until=until)
    limit_materials(model)
    return model


def _hopeless(shop: JobShop, spans: Spans) -> set[str]:
    """Jobs that may be left out and have to be: there is no place for them, or for what they come after."""
    lost = {shop.by_name[name].order for (name, _), modes in spans.items() if not modes} & shop.optional.keys()
    ahead = list(lost)
    while ahead:
        behind = {shop.by_name[other].order for name in shop.optional[ahead.pop()] for other in shop.followers[name]}
        ahead += behind - lost
        lost |= behind
    return {name for order in lost for name in shop.optional[order]}


def _choices(model: Draft, *, without: set[str]) -> None:
    """Whether each order is done that may be left out; not without those that it comes after."""
    shop, hinted = model.shop, {job for job, _ in model.hint}
    for names in shop.optional.values():
        if without.isdisjoint(names):
            done = model.choice(names[0] in hinted if model.hint else None)
            model.done |= dict.fromkeys(names, done)
    for name, done in model.done.items():
        for other in shop.by_name[name].after:
            for before in model.where(other):
                model.cp.add_implication(done, before)


def _place(model: Draft, key: Key, modes: Sequence[Mode]) -> None:
    cp, hint, where = model.cp, model.hint.get(key), model.where(key[0])
    union = Domain.from_intervals([[s.first, s.last] for mode in modes for s in mode.stretches])
    start = union.min() if union.size() == 1 else model.number(union, hint.start if hint else None)
    present: dict[str, Literal] = {modes[0].machine: where[0] if where else True}
    if len(modes) > 1:
        present = {mode.machine: model.choice(hint.machine == mode.machine if hint else None) for mode in modes}
        cp.add_exactly_one([*present.values(), *(~done for done in where)])
    by_elapsed = {mode.machine: _by_elapsed(mode) for mode in modes}
    elapsed = sorted({time for times in by_elapsed.values() for time in times})
    size: Expression = elapsed[0]
    end: Expression = start + elapsed[0]
    if len(elapsed) > 1:
        size = model.number(Domain.from_values(elapsed), hint.end - hint.start if hint else None)
        ends = [[s.first + s.elapsed, s.last + s.elapsed] for mode in modes for s in mode.stretches]
        end = model.number(Domain.from_intervals(ends), hint.end if hint else None)
    if where:
        whole = cp.new_optional_interval_var(start, size, end, where[0], "")
    else:
        whole = cp.new_interval_var(start, size, end, "")
    for mode in modes:
        times, literal = by_elapsed[mode.machine], present[mode.machine]
        chosen = dict.fromkeys(times, literal)
        if len(times) > 1:
            here = hint is not None and hint.machine == mode.machine
            chosen = {time: model.choice(here and hint.end - hint.start == time if hint else None) for time in times}
            cp.add(sum(chosen.values()) == literal)
        for time, domain in times.items():
            if len(elapsed) > 1:
                cp.add(end == start + time).only_enforce_if(chosen[time])
                cp.add(size == time).only_enforce_if(chosen[time])
            if domain != union:
                cp.add_linear_expression_in_domain(start, domain).only_enforce_if(chosen[time])
        if len(times) == 1:
            interval = cp.new_optional_fixed_size_interval_var(start, next(iter(times)), literal, "")
        else:
            interval = cp.new_optional_interval_var(start, size, end, literal, "")
        if not mode.duration:
            continue  # a milestone stands in no machine's row
        visit = Visit(key, interval, start, end, literal, mode.first, mode.last, mode.first_end, mode.last_end)
        model.rows[mode.machine].append(visit)
    for pool, needed in model.shop.by_name[key[0]].operations[key[1]].pools.items():
        model.pools[pool].append((whole, needed, max(mode.last_end for mode in modes)))
    model.placed[key] = Placed(start, end, present)


def _by_elapsed(mode: Mode) -> dict[int, Domain]:
    starts: dict[int, list[list[int]]] = defaultdict(list)
    for stretch in mode.stretches:
        starts[stretch.elapsed].append([stretch.first, stretch.last])
    return {time: Domain.from_intervals(rows) for time, rows in starts.items()}


def _routes(model: Draft) -> None:
    """Operations of a job in their order with transport between, jobs behind those they come after."""
    cp, placed, shop = model.cp, model.placed, model.shop
    for (name, number), behind in placed.items():
        job, where = shop.by_name[name], model.where(name)
        if number == 0:
            for other in job.after:
                last = (other, len(shop.by_name[other].operations) - 1)
                if last in placed:
                    cp.add(behind.start >= placed[last].end).only_enforce_if(where)
            continue
        before = placed[name, number - 1]
        times = {(a, b): shop.transport.get((a, b), 0) for a in before.machines for b in behind.machines}
        least = min(times.values())
        patience = job.operations[number].longest_wait
        exact = patience == 0
        if exact and least == max(times.values()):
            cp.add(behind.start == before.end + least).only_enforce_if(where)
            continue
        cp.add(behind.start >= before.end + least).only_enforce_if(where)
        for (a, b), time in times.items():
            both = [before.machines[a], behind.machines[b]]
            if exact:
                cp.add(behind.start == before.end + time).only_enforce_if(both)
            elif time > least:
                cp.add(behind.start >= before.end + time).only_enforce_if(both)
            if patience:
                cp.add(behind.start <= before.end + time + patience).only_enforce_if(both)
