"""The front page's contents: pictures under plain names, three dashboards for three readers, and both cards."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinloop.numbers import count, interval, number, percent, quantity
from twinloop.reporting.cards import ModelCard, markdown_table, markdown_text
from twinloop.reporting.figures import fleet, foretelling, workshop
from twinloop.reporting.pages import KeyFigure, Section
from twinloop.reporting.style import Picture
from twinloop.reporting.tables import Table
from twinloop.simulation.figures.view import MovingView
from twinloop.simulation.fleet.record import COST
from twinloop.twins.fleet.results.anomalies import Anomalies
from twinloop.twins.fleet.results.assets import Assets
from twinloop.twins.fleet.results.base import CURRENCY, FleetOutputs
from twinloop.twins.fleet.results.demand import Demand
from twinloop.twins.fleet.results.prediction import Prediction
from twinloop.twins.fleet.results.workshop import AVAILABILITY, FAILURES, Workshop


def pictures(root: Path) -> dict[str, Picture]:
    """Every figure that is kept as a file, under the plain name that MLflow shows."""
    assets, predicted, unusual, shop = Assets(root), Prediction(root), Anomalies(root), Workshop(root)
    return {
        "fleet_grid": fleet.fleet_grid(**assets.grid()),
        "vehicle": fleet.vehicle(**assets.vehicle()),
        "precision_recall": foretelling.precision_recall(**predicted.precision_recall()),
        "calibration": foretelling.calibration(**predicted.calibration()),
        "alerts": foretelling.alert_curves(predicted.alerts()),
        "failures_found": foretelling.failures_found(predicted.found()),
        "methods": foretelling.methods(**predicted.methods()),
        "leaky_split": foretelling.splits(**predicted.splits()),
        "anomalies": fleet.anomalies(**unusual.on_signals()),
        "demand": workshop.demand(Demand(root).forecast),
        "policies": workshop.policies(**shop.policies()),
        "capacity": workshop.capacity(**shop.capacity()),
        "day_in_bays": workshop.day_in_bays(**shop.day()),
    }


def sections(root: Path, drawn: Mapping[str, Picture], view: MovingView) -> tuple[Section, ...]:
    """The operations (with the replay), model and business dashboards."""
    return _operations(root, drawn, view), _model(root, drawn), _business(root, drawn)


def _operations(root: Path, drawn: Mapping[str, Picture], view: MovingView) -> Section:
    assets, booked = Assets(root), FleetOutputs(root).metrics("schedule")
    alerts = assets.cells.filter(status="act")
    return Section(
        "operations",
        "Operations",
        "For whoever keeps the vehicles going: who may fail soon, and when the workshop sees to it.",
        (
            KeyFigure("alerts now", count(len(alerts)), f"of the {count(len(assets.risks.assets))} vehicles shown"),
            KeyFigure("visits booked", count(booked["visits"]), f"{count(booked['waiting'])} more are waiting"),
            KeyFigure("expected to be saved", quantity(booked["expected_saving"], CURRENCY), "by these visits"),
            KeyFigure("workshop booked", percent(booked["utilisation"]), "of the minutes that can be booked"),
        ),
        (drawn["fleet_grid"], drawn["capacity"]),
        view,
    )


def _model(root: Path, drawn: Mapping[str, Picture]) -> Section:
    found, times = FleetOutputs(root).metrics("evaluate"), Prediction(root)
    return Section(
        "model",
        "Model",
        "For whoever answers for the predictor: what it finds, how early, and what it gets wrong.",
        (
            KeyFigure("PR-AUC", number(found["pr_auc"]), f"by age alone {number(found['pr_auc_age'])}"),
            KeyFigure("Brier score", number(found["brier"]), "mean squared error of the probabilities"),
            KeyFigure("failures found", percent(found["recall"]), f"of {count(found['test_failures'])} in the test"),
            KeyFigure("lead time", quantity(found["lead_hours"], "h"), "median, from the first alert in time"),
            KeyFigure("false alarms", number(found["false_alarms"]), "per vehicle and month"),
            KeyFigure("sequence model", "", times.where_worse()),
        ),
        (drawn["methods"], drawn["alerts"]),
    )


def _business(root: Path, drawn: Mapping[str, Picture]) -> Section:
    shop = Workshop(root)
    best = shop.answer["policy"]
    cost, failures, saved = shop.kpi(best, COST), shop.kpi(best, FAILURES), shop.saved(best)
    keys = [
        KeyFigure("cheapest policy", best, "of those that can be followed"),
        KeyFigure(
            "cost",
            quantity(cost.mean, f"{CURRENCY}/vehicle-day"),
            f"95 % interval {interval(cost.low, cost.high)}",
        ),
        KeyFigure("availability", percent(shop.kpi(best, AVAILABILITY).mean), "of the driving that was planned"),
        KeyFigure("roadside failures", number(failures.mean), "per vehicle-year"),
    ]
    if saved:
        limits = interval(saved.low, saved.high, sign=True)
        keys.append(
            KeyFigure(
                "saved against fixed intervals",
                quantity(saved.mean, f"{CURRENCY}/vehicle-day", sign=True),
                f"95 % interval {limits}",
            )
        )
    return Section(
        "business",
        "Business",
        "For whoever decides how the fleet is maintained: what each policy costs, on the same fleets.",
        tuple(keys),
        (drawn["demand"],),
    )


def model_card(root: Path) -> ModelCard:
    """The predictor's card."""
    outputs, predicted = FleetOutputs(root), Prediction(root)
    prepared, trained, export, found = (outputs.metrics(stage) for stage in ("prepare", "train", "export", "evaluate"))
    return ModelCard(
        title="Model card: failure predictor",
        description="Says of every vehicle and component how likely it fails within the next days, and why.",
        facts=(
            ("members", str(trained["members"])),
            ("settings", str(trained["values"])),
            ("components", ", ".join(outputs.about["components"])),
            ("of them by age alone, as too few failed", count(trained["by_age_alone"])),
            (
                "deployed format",
                f"{export['format']}, {count(export['graphs'])} graphs",
            ),
            ("digest (sha256)", str(export["predictor_sha256"])),
            ("trained on", f"{count(trained['windows'])} windows of {count(trained['train_assets'])} vehicles"),
            ("data", f"{prepared['data']}, digest (sha256) {prepared['dataset_sha256']}"),
        ),
        metrics=predicted.summary(),
        operating_point=Table.of(
            ("", "this predictor"),
            [
                ("alert from", "the probability of failure that costs least for each component, as told below"),
                ("false alarms there", f"{number(found['false_alarms'])} per vehicle and month"),
            ],
        ),
        sections=(
            ("By component", "Judged on vehicles and a time that nothing was learnt from.", predicted.by_component()),
            (
                "Fault modes that it never met",
                "Trees that learnt without a mode, asked for its failures: what can be expected of a new one.",
                predicted.unseen_modes(),
            ),
            ("The sequence model", "Beside the boosted trees, on the same rows.", predicted.sequence_model()),
            ("What it looks at", "Shares of the boosted trees' gain.", predicted.importance()),
        ),
        intended=(
            "Ranking vehicles of this fleet by what may fail, so that a visit can be booked before it does.",
            "Pricing maintenance policies, with its measured errors and their uncertainty.",
        ),
        limits=(
            f"Judged on {count(found['test_failures'])} failures of test vehicles; figures carry the intervals shown.",
            _unseen(found),
            "A component without any sign of wear is judged by its age, whatever its score looks like.",
            "It foretells failures, not safety: it never replaces an inspection that the law or the maker asks for.",
            "Other vehicles, sensors or duty need training and judging again; `doctor data` says what a source holds.",
        ),
    )


def data_card(root: Path) -> str:
    """The dataset's card, Markdown; names from the data cannot become markup."""
    assets = Assets(root)
    about = assets.about
    left = [(reason, count(number_)) for reason, number_ in about["left_out"].items()] or [("nothing", "0")]
    span = (
        "no test time: the source names its test assets"
        if not about["cut_min"]
        else (f"judged from day {about['cut_min'] / 1440:.0f} on")
    )
    parts = [
        f"# Data card: {markdown_text(str(about['layout']))}",
        "What the fleet's predictor learnt from and was judged on.",
        "## What it is",
        markdown_table(assets.summary()),
        "## How it was divided",
        f"{count(len(about['test_assets']))} of {count(about['assets'])} vehicles are held out; {markdown_text(span)}. "
        "Training and test share no vehicle and no time, with a gap between them.",
        markdown_table(assets.lives()),
        "## What was left out or changed",
        markdown_table(Table.of(("reason", "rows, values or files"), left, numeric=(1,))),
        "Columns that give the label away: " + (", ".join(map(markdown_text, about["leaks"])) or "none") + ".",
        "## Notes",
        "\n".join(f"- {markdown_text(note)}" for note in about["notes"]) or "None.",
        f"Content digest (sha256) `{about['sha256']}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _unseen(found: Mapping[str, Any]) -> str:
    """In a sentence: what becomes of failures of a mode that was not learnt from."""
    if found["modes_unseen_recall"] is None:
        return (
            "A way to fail that no training vehicle showed may pass unseen: no mode failed often enough to measure it."
        )
    learnt, unseen = (percent(found[f"modes_{name}_recall"], digits=0) for name in ("learnt", "unseen"))
    low, high = (percent(found[f"modes_unseen_recall_{end}"], digits=0) for end in ("low", "high"))
    return (
        f"Of failures by a mode that no training vehicle showed, {unseen} ({low} … {high}) are found; once it has been "
        f"learnt from, {learnt}."
    )
