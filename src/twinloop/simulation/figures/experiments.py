"""How scenarios side by side and an optimum look in a notebook."""

from html import escape
from typing import TYPE_CHECKING

from twinloop.numbers import fixed
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.design import PROFIT
from twinloop.simulation.experiments.scenarios import SideBySide
from twinloop.simulation.figures.faces import number, table

if TYPE_CHECKING:
    from twinloop.simulation.experiments.optimisation import Optimum

SHOWN = (PROFIT, "throughput_per_day", "wip")
BEST = 10


def side_by_side_table(found: SideBySide) -> str:
    """Profit, throughput and work in progress per scenario, and what surely changed."""
    frames = {kpi: found.frame(kpi) for kpi in SHOWN}
    rows = []
    for place, name in enumerate(found):
        cells = [name]
        for kpi, frame in frames.items():
            row = frame.row(place, named=True)
            cells.append(number(kpi, row["mean"]))
            ends = f"{number(kpi, row['change_low'])} … {number(kpi, row['change_high'])}"
            mark = "" if row["sure"] else " (not sure)"
            cells.append(f"{ends}{mark}" if place else "")
        rows.append(tuple(cells))
    header = [cell for kpi in SHOWN for cell in (f"{KPIS[kpi][0]} ({KPIS[kpi][1]})", "change")]
    today = found.today
    caption = (
        f"{len(today.replications)} × {today.days:g} days each, same random numbers, engine {today.engine}; "
        f"intervals of the changes hold together at {100 * today.confidence:g} %; "
        f"most profit: {' or '.join(found.best())}"
    )
    return table(caption, ("", *header), rows)


def optimum_table(found: "Optimum") -> str:
    """The answer, and the best trials with what they promised."""
    kpi, paths = found.settings.objective, tuple(found.settings.space)
    ranked = sorted((t for t in found.trials if t.promised is not None), key=lambda trial: -(trial.promised or 0.0))
    rows = [
        (
            trial.name + (" (chosen)" if trial.name == found.chosen.name else ""),
            *(
                f"{trial.values[path]:.3g}" if isinstance(trial.values[path], float) else str(trial.values[path])
                for path in paths
            ),
            fixed(trial.cost_per_day, 0),
            number(kpi, trial.promised or 0.0),
        )
        for trial in ranked[:BEST]
    ]
    still = f", {found.failed} stood still" if found.failed else ""
    caption = f"{len(found.trials)} trials{still}; what the best promised is what luck made of it"
    header = ("", *paths, "cost per day", f"promised {KPIS[kpi][0].lower()}")
    return f"<p>{escape(found.sentence)}</p>{table(caption, header, rows)}"
