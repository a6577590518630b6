"""Maintenance windows in the plan of the shop, by the risks that sensors tell, and what they are worth when executed.

Risks come from the simulate stage, which learnt and judged the predictors; so does how worn the machines really are,
which nobody who plans knows and only the execution uses.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from twinloop.contracts import Plan, RiskTable
from twinloop.files import atomic, write_json
from twinloop.numbers import MINUTES_PER_HOUR, counted, interval, number, quantity
from twinloop.scheduling.execution.disruptions import Disruptions
from twinloop.scheduling.execution.maintenance import Maintained, Upkeep, place_maintenance
from twinloop.scheduling.execution.renewal import with_repairs
from twinloop.scheduling.execution.upkeep import EXECUTIONS, VALUE, WindowsWorth, windows_worth
from twinloop.scheduling.execution.wearing import Wearing
from twinloop.scheduling.files.shop_json import write_shop
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage

if TYPE_CHECKING:
    from twinloop.simulation.maintenance.settings import UpkeepSettings

PLACED = {
    "machine": pl.String,
    "foreseen_by": pl.String,
    "age_min": pl.Float64,
    "worked_hours": pl.Float64,
    "failures": pl.Float64,
    "start": pl.Int64,
    "end": pl.Int64,
    "failure_cost_before": pl.Float64,
    "failure_cost": pl.Float64,
    "maintenance_cost": pl.Float64,
}
NOTHING = "No machine of the shop is said to wear, so no maintenance was planned"


@dataclass(frozen=True, eq=False)
class Windows:
    """A plan with its windows and its shop, a row per machine (`PLACED`), what they are worth, in a sentence."""

    shop: JobShop
    plan: Plan
    placed: pl.DataFrame
    worth: WindowsWorth
    sentence: str
    metrics: dict[str, float | None]

    def save(self, stage: Stage[FactoryConfig]) -> None:
        """Write what page 07 shows."""
        out = stage.root / paths.SCHEDULE
        write_shop(out / "maintained.json", self.shop)
        self.plan.save(out / "maintained.parquet")
        tables = {"windows": self.placed, "windows_executed": self.worth.executions, "windows_worth": self.worth.frame}
        for name, frame in tables.items():
            with atomic(out / f"{name}.parquet") as temporary:
                frame.write_parquet(temporary)
        write_json(out / "windows.json", {"sentence": self.sentence})


def plan_windows(stage: Stage[FactoryConfig], shop: JobShop, plan: Plan, disruptions: Disruptions) -> Windows:
    """Place the windows and execute the plan with and without them; the machines that wear fail by their wear."""
    settings, asked = stage.config.factory.upkeep, stage.config.factory.schedule
    if not settings.machines:
        nothing = WindowsWorth(pl.DataFrame(schema=EXECUTIONS), pl.DataFrame(schema=VALUE))
        return Windows(shop, plan, pl.DataFrame(schema=PLACED), nothing, f"{NOTHING}.", _metrics(None, None))
    risks, renewed = (RiskTable.load(stage.root / paths.MACHINES / f"{name}.parquet") for name in ("risks", "renewed"))
    standing = pl.read_parquet(stage.root / paths.MACHINES / "machines.parquet")
    work = _work(shop, plan)
    whole = max(*work.values(), 1.0)
    told = with_repairs(risks, renewed, hours=whole)
    placed = place_maintenance(
        shop,
        plan,
        [Upkeep(machine.name, machine.minutes, machine.cost) for machine in settings.machines],
        told,
        goal=Goal.of(asked.objective),
        euro_per_unit=settings.delay_hour / MINUTES_PER_HOUR,
        renewed=with_repairs(renewed, renewed, hours=whole),
    )
    tardy = asked.objective == "weighted_tardiness"
    worth = windows_worth(
        shop,
        plan,
        placed,
        _wearing(stage, settings, standing),
        disruptions,
        failure_cost={machine.name: machine.failure_cost for machine in settings.machines},
        delay_cost=lambda makespan, late: settings.delay_hour / MINUTES_PER_HOUR * (late if tardy else makespan),
        seed=stage.config.seed,
        replications=asked.replications,
        confidence=asked.confidence,
        workers=stage.workers,
    )
    expected = standing.select("machine", "foreseen_by", "age_min").with_columns(
        worked_hours=pl.col("machine").replace_strict(work),
        failures=pl.col("machine").map_elements(
            lambda name: told.failures(name, hours=work[name])[0], return_dtype=pl.Float64
        ),
    )
    frame = expected.join(placed.frame, on="machine", how="left", maintain_order="left").select(list(PLACED))
    notes = [f"{row['machine']}: {row['note']}" for row in standing.iter_rows(named=True) if row["note"]]
    sentence = ". ".join([_sentence(placed, worth), *notes]) + "."
    return Windows(placed.shop, placed.plan, frame, worth, sentence, _metrics(placed, worth))


def _work(shop: JobShop, plan: Plan) -> dict[str, float]:
    """Hours that each machine works off the plan."""
    minutes = dict.fromkeys(shop.machines, 0.0)
    for a in plan:
        minutes[a.machine] += shop.by_name[a.job].operations[a.operation].on(a.machine)
    return {machine: spent / MINUTES_PER_HOUR for machine, spent in minutes.items()}


def _wearing(stage: Stage[FactoryConfig], settings: "UpkeepSettings", standing: pl.DataFrame) -> dict[str, Wearing]:
    repair = {machine.name: machine.mean_repair_min for machine in stage.config.factory.shop.machines}
    level = dict(standing.select("machine", "level").iter_rows())
    return {
        machine.name: Wearing(machine.wear, repair[machine.name], level=level[machine.name])
        for machine in settings.machines
    }


def _metrics(placed: Maintained | None, worth: WindowsWorth | None) -> dict[str, float | None]:
    """In euro; prevented in failures per execution."""
    saved = worth.saved if worth else None
    return {
        "windows": len(placed.windows) if placed else 0,
        "windows_saved_expected": placed.saved if placed else None,
        "windows_saved": saved.mean if saved else None,
        "windows_saved_low": saved.low if saved else None,
        "windows_saved_high": saved.high if saved else None,
        "windows_failures_prevented": -_row(worth, "failures")["difference_mean"] if worth else None,
    }


def _sentence(placed: Maintained, worth: WindowsWorth) -> str:
    cost = quantity(_row(worth, "cost")["without_mean"], "€")
    if not placed.windows:
        return f"No maintenance is worth a window in this plan: its failures and delays cost {cost} in an execution"
    saved, prevented = worth.saved, -_row(worth, "failures")["difference_mean"]
    named = ", ".join(
        f"{machine} at hour {number(window.start / MINUTES_PER_HOUR)}" for machine, window in placed.windows.items()
    )
    verb = "saved" if saved.low > 0 else "lost" if saved.high < 0 else "saved, which may be luck,"
    amount = saved.mean if saved.high >= 0 else -saved.mean
    return (
        f"{counted(len(placed.windows), 'window')} for maintenance ({named}) {verb} {quantity(amount, '€')} of the "
        f"{cost} that failures and delays cost in an execution (95 % interval "
        f"{interval(saved.low, saved.high, '€', sign=True)}; {quantity(placed.saved, '€')} were expected); failures "
        f"prevented: {number(prevented)}"
    )


def _row(worth: WindowsWorth, figure: str) -> dict[str, Any]:
    return worth.frame.row(by_predicate=pl.col("figure") == figure, named=True)
