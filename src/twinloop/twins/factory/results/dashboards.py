"""The front page's contents: pictures under plain names, and three dashboards for three readers."""

from collections.abc import Mapping
from pathlib import Path

from twinloop.numbers import interval, number, percent, quantity
from twinloop.reporting.cards import ModelCard
from twinloop.reporting.figures import (
    data,
    decisions,
    explanations,
    model,
    monitoring,
    planning,
    ranking,
    scheduling,
    shopfloor,
    simulation,
    training,
)
from twinloop.reporting.pages import KeyFigure, Section
from twinloop.reporting.style import Picture
from twinloop.reporting.tables import Table
from twinloop.simulation.figures.view import MovingView
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import CURRENCY, FactoryOutputs
from twinloop.twins.factory.results.explanation import Explanation
from twinloop.twins.factory.results.floor import ShopFloor
from twinloop.twins.factory.results.images import Images
from twinloop.twins.factory.results.instrument import Instrument
from twinloop.twins.factory.results.line import ProductionLine
from twinloop.twins.factory.results.model import Deployment, Training
from twinloop.twins.factory.results.orders import Orders
from twinloop.twins.factory.results.search import Search


def pictures(root: Path) -> dict[str, Picture]:
    """Every figure that is kept as a file, under the plain name that MLflow shows."""
    images, trained, search, explained = Images(root), Training(root), Search(root), Explanation(root)
    deployed, line, floor, orders = Deployment(root), ProductionLine(root), ShopFloor(root), Orders(root)
    compared = {"pareto_front": training.pareto_front(**search.front())} if search.compared else {}
    return compared | {
        "class_split": data.class_split_bars(images.index),
        "learning_curves": training.learning_curves(**trained.curves()),
        "tuning_history": training.tuning_history(**search.history()),
        "roc_and_precision_recall": ranking.ranking(trained.ranking()),
        "confusion": model.confusion(**trained.confusion()),
        "right_at_first_look": model.recalls(trained.recalls()),
        "heat_maps": model.gallery(**explained.heat()),
        "explanations": explanations.side_by_side(**explained.side_by_side()),
        "explanation_scores": explanations.explanation_scores(**explained.scored()),
        "deletion_and_insertion": explanations.perturbation_curves(**explained.curves()),
        "reliability": ranking.reliability(**deployed.reliability()),
        "repeatability": monitoring.gauge(Instrument(root).gauge()),
        "latency": model.latency(deployed.latency()),
        "operating_curve": model.operating_curve(deployed.curve(), deployed.points()),
        "profit_vs_threshold": simulation.profit_against_threshold(**line.profit_curve()),
        "lever_ranking": simulation.lever_ranking(line.levers()),
        "oee": simulation.oee_waterfall(**line.factors()),
        "station_states": shopfloor.station_states(line.states()),
        "line_day": shopfloor.state_gantt(**floor.gantt()),
        "buffer_levels": shopfloor.buffer_levels(**floor.levels()),
        "bottleneck": shopfloor.bottlenecks(**floor.bottlenecks()),
        "maintenance_policies": decisions.maintenance_policies(line.policies()),
        "optimisation": decisions.optimisation_history(**line.optimisation()),
        "gantt": scheduling.gantt(**orders.gantt()),
        "due_dates": scheduling.due_dates(**orders.gantt()),
        "executed_gantt": scheduling.gantt(**orders.executed()),
        "machine_load": scheduling.machine_load(orders.load()),
        "incumbents": planning.incumbents(**orders.search()),
        "schedule_pareto_front": planning.pareto_front(**orders.front()),
        "methods": planning.method_comparison(**orders.tardiness_by_method()),
        "planned_vs_executed": planning.planned_against_executed(**orders.executed_tardiness()),
        "price_of_robustness": planning.price_of_robustness(**orders.robustness()),
        "schedule_reactions": planning.method_comparison(**orders.reactions()),
        "schedule_what_if": planning.what_if(**orders.what_if()),
    }


def sections(root: Path, drawn: Mapping[str, Picture], view: MovingView) -> tuple[Section, ...]:
    """The operations (with the line at work), model and business dashboards."""
    outputs = FactoryOutputs(root)
    return _operations(outputs, drawn, view), _model(outputs, drawn), _business(outputs, drawn)


def _operations(outputs: FactoryOutputs, drawn: Mapping[str, Picture], view: MovingView) -> Section:
    line, shop = ProductionLine(outputs.root), outputs.metrics("schedule")
    planned = quantity(shop["planned_tardiness"], "h")
    return Section(
        "operations",
        "Operations",
        "For whoever runs the line: where its time goes today, and whether orders leave on time.",
        (
            KeyFigure(
                "throughput", quantity(line.mean("throughput_per_day"), "parts/day"), "shipped, at today's threshold"
            ),
            KeyFigure("OEE of the bottleneck", percent(line.mean("oee")), "availability × performance × quality"),
            KeyFigure("breakdown", quantity(line.mean("down_hours_per_day"), "h/day"), "all stations together"),
            KeyFigure("work in progress", quantity(line.mean("wip"), "parts"), "on the line, on average"),
            KeyFigure("cycle time", quantity(line.mean("cycle_time_min"), "min"), "from entering to leaving the line"),
            KeyFigure("weighted tardiness", quantity(shop["tardiness"], "h"), f"executed; planned were {planned}"),
        ),
        (drawn["oee"], drawn["bottleneck"], drawn["gantt"], drawn["methods"]),
        view,
    )


def _model(outputs: FactoryOutputs, drawn: Mapping[str, Picture]) -> Section:
    found, export = outputs.metrics("evaluate"), outputs.metrics("export")
    times = outputs.json(paths.LATENCY)[export["format"]]
    pooled = Training(outputs.root).pooled
    return Section(
        "model",
        "Model",
        "For whoever answers for the detector: how well it separates, and what it gets wrong on the line."
        + (f" Defects are few: rates are of {pooled}." if pooled else ""),
        (
            KeyFigure(
                "AUROC", number(found["auroc"]), f"95 % interval {interval(found['auroc_low'], found['auroc_high'])}"
            ),
            KeyFigure(
                "average precision", number(found["ap"]), f"95 % interval {interval(found['ap_low'], found['ap_high'])}"
            ),
            KeyFigure("pixel IoU", number(found["iou"]), "heat map against true mask"),
            KeyFigure("calibration error", percent(found["ece"]), "stated against observed probability"),
            KeyFigure(
                "escapes",
                percent(found["escape_rate"]),
                f"of defective parts; today {percent(found['escape_rate_today'])}",
            ),
            KeyFigure(
                "false rejects",
                percent(found["false_reject_rate"]),
                f"of good parts; today {percent(found['false_reject_rate_today'])}",
            ),
            KeyFigure(
                "latency", quantity(times["p95_ms"], "ms"), f"95 % of images, {export['format'].upper()}, one thread"
            ),
        ),
        (drawn["operating_curve"], drawn["right_at_first_look"]),
    )


def _business(outputs: FactoryOutputs, drawn: Mapping[str, Picture]) -> Section:
    line, answer = outputs.metrics("simulate"), outputs.json(paths.SIMULATION / "answer.json")
    together = answer["together_gain_per_day"]
    gain = answer["gain_per_day"]
    keys = [
        KeyFigure(
            "profit today", quantity(line["profit_per_day_today"], f"{CURRENCY}/day", digits=4), "at today's threshold"
        ),
        KeyFigure(
            "profit at the chosen threshold",
            quantity(line["profit_per_day"], f"{CURRENCY}/day", digits=4),
            f"95 % interval {interval(line['profit_per_day_low'], line['profit_per_day_high'], digits=4)}",
        ),
    ]
    if gain:
        limits = interval(gain["low"], gain["high"], sign=True)
        keys.append(
            KeyFigure(
                "gain of the threshold", quantity(gain["mean"], f"{CURRENCY}/day", sign=True), f"95 % interval {limits}"
            )
        )
    if together:
        limits = interval(together["low"], together["high"], sign=True)
        keys.append(
            KeyFigure(
                "all that pays, together",
                quantity(together["mean"], f"{CURRENCY}/day", sign=True),
                f"95 % interval {limits}",
            )
        )
    keys += [
        KeyFigure(
            "escape cost", quantity(line["escape_cost_per_day"], f"{CURRENCY}/day"), "claims for shipped defects"
        ),
        KeyFigure(
            "escapes",
            quantity(line["escape_ppm"], "ppm"),
            f"shipped; today {quantity(line['escape_ppm_today'], 'ppm')}",
        ),
    ]
    return Section(
        "business",
        "Business",
        "For whoever decides what to spend on: what each change earns after its own cost.",
        tuple(keys),
        (drawn["lever_ranking"],),
    )


def model_card(root: Path) -> ModelCard:
    """The detector's card."""
    outputs, deployed = FactoryOutputs(root), Deployment(root)
    trained, export, found = (outputs.metrics(stage) for stage in ("train", "export", "evaluate"))
    prepared = outputs.metrics("prepare")
    measured_on = Training(root).pooled or f"{found['test_parts']} test parts"
    return ModelCard(
        title="Model card: surface defect detector",
        description="Scores an image for surface defects, names the most likely kind and shows where it is.",
        facts=(
            ("encoder", f"{trained['encoder']}, {number(trained['parameters'])} parameters"),
            ("settings", str(trained["values"])),
            ("deployed format", str(export["format"])),
            ("digest of the deployed graph (sha256)", deployed.curve().model),
            ("trained on", f"{trained['train_images']} images of data set {prepared['data']}"),
            ("digest of the data (sha256)", str(prepared["dataset_sha256"])),
            ("classes", ", ".join(deployed.curve().classes)),
        ),
        metrics=Training(root).summary(),
        operating_point=deployed.thresholds(),
        sections=_card_sections(root),
        intended=(
            "Sorting parts that look like those of the data set, under the same camera and light.",
            "Asking for a second look between the two thresholds; people decide about what is left.",
        ),
        limits=(
            f"Measured on {measured_on}; rates carry the intervals shown, not more.",
            f"Thresholds hold for a share of {percent(found['line_defect_rate'])} defective parts on the line and for "
            "the configured prices; a change of either needs the evaluate stage again.",
            "Kinds of defects that it never saw may pass; the heat map is an explanation, not a measurement of size.",
        ),
    )


def _card_sections(root: Path) -> tuple[tuple[str, str, Table], ...]:
    instrument = Instrument(root)
    deployment = Deployment(root)
    return (
        (
            "The exported files",
            "Each is compared with the trained model on real validation images; the deployed one is within its limits.",
            deployment.formats(),
        ),
        ("Which files these are", "A file with another digest is another model.", deployment.graphs()),
        (
            "Can its probabilities be believed?",
            "Calibrated on the validation split, measured on the test split at that split's share of defects.",
            deployment.calibration(),
        ),
        (
            "Does it look where the defect is?",
            "A map that does not surely beat a blob in the middle of the image explains nothing.",
            Explanation(root).verdicts(),
        ),
        (
            "Does it say the same of the same part?",
            "Variance components over photographs of the same part, in log odds.",
            instrument.gauge_table(),
        ),
        (
            "What is promised to the customer",
            "Escapes per million shipped parts, at the line's share of defects.",
            instrument.escapes(),
        ),
        (
            "What later images are held against",
            "The drift tool raises an alarm where these statistics have moved.",
            instrument.drift(),
        ),
    )
