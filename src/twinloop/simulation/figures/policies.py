"""How maintenance policies side by side look in a notebook."""

from typing import TYPE_CHECKING

from twinloop.numbers import fixed
from twinloop.simulation.figures.faces import table

if TYPE_CHECKING:
    from twinloop.simulation.maintenance.comparison import PolicyComparison


def policies_table(found: "PolicyComparison") -> str:
    """Every figure's mean per policy, and how much more its upkeep costs than the oracle's, with intervals."""
    from twinloop.simulation.maintenance.comparison import COST, FIGURES, ORACLE

    rows = []
    for policy in (ORACLE, *found.ranking):
        cost, regret = found.figure(policy), found.regret(policy)
        digits = FIGURES[COST][2]
        cells = [policy, f"{fixed(cost.mean, digits)} ({fixed(cost.low, digits)} … {fixed(cost.high, digits)})"]
        cells.append("" if policy == ORACLE else f"{fixed(regret.low, digits)} … {fixed(regret.high, digits)}")
        cells += [
            fixed(found.figure(policy, name).mean, places) for name, (_, _, places) in FIGURES.items() if name != COST
        ]
        rows.append(tuple(cells))
    title, unit, _ = FIGURES[COST]
    others = [f"{title} ({unit})" if unit else title for name, (title, unit, _) in FIGURES.items() if name != COST]
    result = found.results[ORACLE]
    caption = (
        f"{len(result.replications)} × {result.days:g} days each with the same wear; "
        f"{100 * found.confidence:g} % intervals, those against the oracle paired; "
        f"cheapest: {found.ranking[0]}"
    )
    return table(caption, ("", f"{title} ({unit})", "more than the oracle", *others), rows)
