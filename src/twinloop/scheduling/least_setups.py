"""The least time that a machine spends on set-ups for the families it works on, in whatever order.

Each family is entered a first time, from one that has been entered before: the cheapest way to enter all of them is a
shortest arborescence (Edmonds 1967), found here by sets of families. Every further operation costs at least the
cheapest entry into its family, which is mostly none, from itself.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

Times = Mapping[tuple[str, str], int]
# Families up to which all sets of them are looked at.
FEW = 7


def least_setups(times: Times, counts: Counter[str], possible: Collection[str], *, initial: str | None = None) -> int:
    """Sum of set-ups by (family before, family behind) for so many operations of each family.

    possible: everything that the machine may be set up for; others than those counted may be in between. initial: what
    it is set up for at first; without one the first operation needs no set-up.

    >>> times = {("a", "b"): 2, ("b", "a"): 3, ("b", "c"): 1, ("a", "c"): 5, ("c", "a"): 1, ("c", "b"): 1}
    >>> least_setups(times, Counter("abbc"), "abc")
    2
    """
    names = sorted(counts)
    between = [family for family in possible if family not in counts or family == initial]
    again = sum((count - 1) * _entry(times, family, possible) for family, count in counts.items())
    if len(names) > FEW:
        entries = sorted(_entry(times, family, [g for g in possible if g != family]) for family in names)
        # Its initial family needs none, as the first one where there is none.
        return again + sum(entries[:-1])
    least = {frozenset[str](): 0}
    for entered in range(len(names)):
        larger: dict[frozenset[str], int] = {}
        for known, cost in least.items():
            for family in names:
                if family in known:
                    continue
                entry = _entry(times, family, [*known, *between]) if entered or initial is not None else 0
                both = known | {family}
                larger[both] = min(larger.get(both, cost + entry), cost + entry)
        least = larger
    return again + min(least.values())


def each_entry(times: Times, counts: Counter[str], possible: Collection[str]) -> Iterator[int]:
    """The least set-up of every operation: the first of each family from another one, the others from any."""
    for family in sorted(counts):
        others = [other for other in possible if other != family]
        yield _entry(times, family, others)
        for _ in range(counts[family] - 1):
            yield _entry(times, family, possible)


def _entry(times: Times, family: str, before: Collection[str]) -> int:
    return min((times.get((other, family), 0) for other in before), default=0)
