"""Run the five notebooks and write the report: its first page, a page per notebook, cards, parameters and figures.

Only the front page depends on what is written here, and only on the answer.
"""

from twinloop.files import write_json, write_text
from twinloop.learning.latency import latency_metrics
from twinloop.reporting.front import write_answer
from twinloop.reporting.pages import Landing, from_markdown
from twinloop.reporting.report import Report, parameters_page, traces
from twinloop.reporting.tables import Table
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.fleet.results.assets import Assets
from twinloop.twins.fleet.results.dashboards import data_card, model_card, pictures, sections
from twinloop.twins.fleet.results.workshop import Workshop
from twinloop.twins.fleet.twin import TWIN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet report"
PAGES = {
    "08_fleet_exploration": ("Fleet", "what is known of the vehicles, who may fail soon, one vehicle in detail"),
    "09_failure_prediction": ("Failures", "how well failures are foretold, how early, and by which method"),
    "10_anomaly_detection": ("Anomalies", "what was unusual, whatever it means"),
    "11_demand_forecasting": ("Demand", "what the workshop will be asked for"),
    "12_workshop_and_policy": ("Workshop", "what each policy costs, and who comes on which day"),
}
CARDS = {
    "data_card.html": ("Data card", "where the data are from, how they were divided, what was left out"),
    "model_card.html": ("Model card", "what the predictor is, how it was measured, where it must not be used"),
    "params.html": ("Parameters", "every value that this report was made with"),
}


def run(stage: Stage[FleetConfig]) -> str:
    """Write pages, cards, figures, the answer and the stage's metrics; returns the summary line."""
    root = stage.root
    report = Report(root, paths.REPORTS, paths.NOTEBOOKS, PAGES, CARDS)
    drawn = report.publish(lambda: pictures(root), state=stage.state, workers=stage.workers)
    view = Assets(root).replay()
    view.save(root / paths.FIGURES / "fleet_replay.svg")
    card = model_card(root).markdown()
    write_text(root / paths.MODEL_CARD, card)
    report.write_card("data_card.html", from_markdown(data_card(root)))
    report.write_card("model_card.html", from_markdown(card))
    report.write_card("params.html", parameters_page(TWIN.params(stage.config)))
    shop = Workshop(root)
    sentence, figure = shop.answer["sentence"], drawn["policies"]
    landing = Landing(
        title=TWIN.title,
        kicker=f"{TWIN.title} · profile {stage.config.profile} · how should this fleet be maintained?",
        sentence=sentence,
        figure=figure,
        table=shop.changes(),
        reading="Each row is a policy on the same fleets with the same lives of parts. It saves where the whole "
        "interval lies above zero. The intervals include how unsure the predictor's own errors are.",
        sections=sections(root, drawn, view),
        pages=report.listed,
        provenance=_provenance(shop, stage),
        traces=traces(TWIN.name, shop.digest()),
    )
    report.write_landing(landing)
    page = TWIN.index_page.relative_to("reports").as_posix()
    write_answer(root / TWIN.answer, title=TWIN.title, sentence=sentence, page=page, figure=figure)
    write_json(root / paths.metrics("report"), {**_headline(shop), "results": shop.digest()})
    return f"{len(PAGES)} notebooks → {TWIN.index_page}"


def _headline(shop: Workshop) -> dict[str, float]:
    """What `dvc metrics` and `dvc exp show` compare executions by: the twin's columns."""
    measured = {verb: shop.metrics(verb) for verb in paths.STAGES}
    times = latency_metrics(shop.json(paths.LATENCY), measured["export"]["format"])
    return TWIN.columns.headline({**measured, "latency": times})


def _provenance(shop: Workshop, stage: Stage[FleetConfig]) -> Table:
    prepared, exported = shop.metrics("prepare"), shop.metrics("export")
    settings = stage.config.fleet.simulate
    rows = [
        ("data", f"{prepared['data']}, {prepared['assets']} assets, sha256 {prepared['dataset_sha256'][:12]}"),
        ("predictor", f"{exported['format'].upper()}, sha256 {exported['predictor_sha256'][:12]}"),
        (
            "policies",
            f"{settings.replications} fleets of {settings.vehicles} vehicles over {settings.days} days, the same under "
            f"every policy, seed {stage.config.seed}",
        ),
        ("results", shop.digest()),
    ]
    return Table.of(("part", "what it was"), rows)
