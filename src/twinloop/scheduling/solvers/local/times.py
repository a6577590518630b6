"""The best times of given sequences in a plain shop, where ending late, early, or at all may cost something.

A linear program over starts and what each job's end costs; its matrix is totally unimodular, so that its best times are
whole numbers. Jobs that are not late stay so where being late costs by itself.
"""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from twinloop.scheduling.solvers.local.arrays import Arrays, Longs, Rows
from twinloop.scheduling.solvers.local.costs import BEHIND, DUE, EARLY, END, LAST, LATE, LATEST, Costs


def best_ends(arrays: Arrays, costs: Costs, rows: Rows, end: Longs) -> Longs:
    """[n] ends that cost least with the sequences of `rows`; `end` are ends that they allow, and the answer if none is.

    The last end and the largest tardiness are free to change with all others.
    """
    n, jobs = arrays.count, costs.jobs
    tips = np.flatnonzero(arrays.job_after < 0)
    count = len(tips)
    # Variables: starts, time before and behind each due date, last end, largest tardiness.
    early, late, last, latest = n, n + count, n + 2 * count, n + 2 * count + 1
    pairs = [(u, v) for v, u in enumerate(arrays.job_before) if u >= 0]
    pairs += [(u, v) for v, u in enumerate(rows.before) if u >= 0]
    pairs += [(u, v) for v in range(n) for u in arrays.ahead_of(v)]
    entries: list[tuple[int, int, int]] = []
    limits: list[int] = []

    def at_most(limit: int, *terms: tuple[int, int]) -> None:
        entries.extend((len(limits), column, factor) for column, factor in terms)
        limits.append(int(limit))

    for u, v in pairs:
        at_most(-rows.duration[u], (int(u), 1), (int(v), -1))
    for j, t in enumerate(tips):
        due, duration = int(jobs[j, DUE]), int(rows.duration[t])
        at_most(duration - due, (early + j, -1), (int(t), -1))
        at_most(due - duration, (late + j, -1), (int(t), 1))
        at_most(-duration, (int(t), 1), (last, -1))
        at_most(due - duration, (int(t), 1), (latest, -1))
    cost = np.zeros(n + 2 * count + 2)
    cost[tips] += jobs[:, END]
    cost[early:late], cost[late:last] = jobs[:, EARLY], jobs[:, BEHIND]
    cost[last], cost[latest] = costs.most[LAST], costs.most[LATEST]
    row, column, factor = np.array(entries).T
    matrix = coo_array((factor.astype(float), (row, column)), shape=(len(limits), len(cost))).tocsr()
    bounds: list[tuple[int, int | None]] = [(int(release), None) for release in arrays.release]
    bounds += [(0, None)] * (2 * count + 2)
    for j, t in enumerate(tips):
        if jobs[j, LATE] and end[t] <= jobs[j, DUE]:
            bounds[t] = (bounds[t][0], int(jobs[j, DUE] - rows.duration[t]))
    answer = linprog(cost / max(1.0, cost.max()), A_ub=matrix, b_ub=np.array(limits), bounds=bounds, method="highs")
    if answer.status != 0:
        return end
    starts = np.rint(answer.x[:n]).astype(np.int64)
    kept = all(starts[v] >= starts[u] + rows.duration[u] for u, v in pairs) and (starts >= arrays.release).all()
    return starts + rows.duration if kept else end
