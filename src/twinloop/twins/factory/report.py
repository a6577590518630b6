"""Run the seven notebooks and write the report: its first page, a page per stage, cards, parameters and figures.

Only the front page depends on what is written here, and only on the answer.
"""

from markupsafe import Markup

from twinloop.files import write_json, write_text
from twinloop.learning.latency import latency_metrics
from twinloop.reporting.figures import scheduling
from twinloop.reporting.front import write_answer
from twinloop.reporting.pages import Landing, from_markdown
from twinloop.reporting.report import Report, parameters_page, traces
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.results.dashboards import model_card, pictures, sections
from twinloop.twins.factory.results.floor import ShopFloor
from twinloop.twins.factory.results.images import Images
from twinloop.twins.factory.results.line import ProductionLine
from twinloop.twins.factory.results.model import Training
from twinloop.twins.factory.results.orders import Orders
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory report"
PAGES = {
    "01_data_exploration": ("Images", "what the camera sees, and whether the splits are honest"),
    "02_model_training": ("Training", "how well the detector has learnt, and which defects it misses"),
    "03_hyperparameter_tuning": ("Tuning", "which settings were tried, and which mattered"),
    "04_attention_visualization": ("Where it looks", "heat maps and attention against the true defects"),
    "05_deployment_analysis": ("Deployment", "exported files, latency, calibration, thresholds"),
    "06_simulation": ("Simulation", "what the line earns, and what to change first"),
    "07_scheduling": ("Scheduling", "the plan, and what breakdowns leave of it"),
}
CARDS = {
    "data_card.html": ("Data card", "where the images are from and what was left out"),
    "model_card.html": ("Model card", "what the detector is, how it was measured, where it must not be used"),
    "params.html": ("Parameters", "every value that this report was made with"),
}


def run(stage: Stage[FactoryConfig]) -> str:
    """Write pages, cards, figures, the answer and the stage's metrics; returns the summary line."""
    root, folder = stage.root, stage.root / paths.REPORTS
    report = Report(root, paths.REPORTS, paths.NOTEBOOKS, PAGES, CARDS)
    drawn = report.publish(lambda: pictures(root), state=stage.state, workers=stage.workers)
    view = ShopFloor(root).view()
    view.save(root / paths.FIGURES / "line_at_work.svg")
    orders = Orders(root)
    scheduling.write_interactive(orders.shop.gantt(orders.plan, groups=orders.products()), folder / "gantt.html")
    card = model_card(root).markdown()
    write_text(root / paths.MODEL_CARD, card)
    report.write_card("data_card.html", from_markdown(Images(root).card()))
    report.write_card("model_card.html", from_markdown(card))
    report.write_card("params.html", parameters_page(TWIN.params(stage.config)))
    line = ProductionLine(root)
    sentence, figure = line.answer["sentence"], drawn["profit_vs_threshold"]
    landing = Landing(
        title=TWIN.title,
        kicker=f"{TWIN.title} · profile {stage.config.profile} · what should be changed first?",
        sentence=sentence,
        figure=figure,
        table=line.changes(),
        reading="Each row changes one thing against today; its own cost is deducted. It pays where the whole interval "
        "lies above zero. The intervals include how unsure the detector's own error rates are.",
        sections=sections(root, drawn, view),
        pages=report.listed,
        provenance=_provenance(line, stage),
        traces=(
            *traces(TWIN.name, line.digest()),
            Markup('The plan as an interactive chart: <a href="gantt.html">gantt</a>.'),
        ),
    )
    report.write_landing(landing)
    page = TWIN.index_page.relative_to("reports").as_posix()
    write_answer(root / TWIN.answer, title=TWIN.title, sentence=sentence, page=page, figure=figure)
    write_json(root / paths.metrics("report"), {**_headline(line), "results": line.digest()})
    return f"{len(PAGES)} notebooks → {TWIN.index_page}"


def _headline(line: ProductionLine) -> dict[str, float]:
    """What `dvc metrics` and `dvc exp show` compare executions by: the twin's columns."""
    measured = {verb: line.metrics(verb) for verb in paths.STAGES}
    times = latency_metrics(line.json(paths.LATENCY), measured["export"]["format"])
    return TWIN.columns.headline({**measured, "latency": times})


def _provenance(line: ProductionLine, stage: Stage[FactoryConfig]) -> Table:
    prepared, evaluated = line.metrics("prepare"), line.metrics("evaluate")
    digest = line.json(paths.OPERATING_POINT)["model"]
    measured_on = Training(line.root).pooled or f"{evaluated['test_parts']} test parts"
    rows = [
        ("data", f"{prepared['data']}, {prepared['images']} images, sha256 {prepared['dataset_sha256'][:12]}"),
        (
            "detector",
            f"{line.metrics('export')['format'].upper()}, sha256 {digest[:12]}, {measured_on}",
        ),
        (
            "line",
            f"{line.metrics('simulate')['replications']} replications of every scenario, seed {stage.config.seed}",
        ),
        ("results", line.digest()),
    ]
    return Table.of(("part", "what it was"), rows)
