"""Run the seven notebooks and write the report: its first page, a page per stage, cards, parameters and figures.

Nothing depends on what is written here, so it may hold what differs from run to run.
"""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from twinloop.errors import RunError
from twinloop.files import write_json, write_text
from twinloop.reporting.figures import scheduling
from twinloop.reporting.notebooks import Job, Link, publish
from twinloop.reporting.pages import Front, Page, from_markdown, write_index, write_plain
from twinloop.reporting.tables import Table
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.factory.results import Images, Orders, ProductionLine, ShopFloor
from twinloop.twins.factory.results.dashboards import model_card, pictures, sections
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop factory report"
NOTEBOOKS = Path("notebooks")
# Kernels side by side; more than two only wait for each other on a small machine.
SIDE_BY_SIDE = 2
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
    """Write pages, cards, figures and the stage's metrics; returns the summary line."""
    root, folder = stage.root, stage.root / paths.REPORTS
    links = [Link("Overview", "../index.html")]
    links += [Link(title, f"{name}.html") for name, (title, _) in PAGES.items()]
    links += [Link(title, name) for name, (title, _) in CARDS.items()]
    # From the notebooks' folder, so that no page knows where on a machine it was made.
    jobs = [Job(root / NOTEBOOKS / f"{name}.ipynb", folder / f"{name}.html", {"root": ".."}) for name in PAGES]
    missing = [job.notebook.name for job in jobs if not job.notebook.is_file()]
    if missing:
        raise RunError(
            f"report: {root / NOTEBOOKS}: {', '.join(missing)} missing: restore them with `git checkout notebooks`"
        )
    with ThreadPoolExecutor(max_workers=1) as beside:
        published = beside.submit(
            publish, jobs, kept=stage.state / "report", navigation=links, workers=min(stage.workers, SIDE_BY_SIDE)
        )
        drawn = pictures(root)
        for name, figure in drawn.items():
            figure.save(folder / "figures" / f"{name}.png")
        view = ShopFloor(root).view()
        view.save(folder / "figures" / "line_at_work.svg")
        published.result()
    orders = Orders(root)
    scheduling.write_interactive(orders.shop.gantt(orders.plan, groups=orders.products()), folder / "gantt.html")
    _write_cards(root, folder, links, _plain(stage.config))
    line = ProductionLine(root)
    front = Front(
        title="Factory twin",
        kicker=f"Factory twin · profile {stage.config.profile} · what should be changed first?",
        sentence=line.answer["sentence"],
        figure=drawn["profit_vs_threshold"],
        table=line.changes(),
        reading="Each row changes one thing against today; its own cost is deducted. It pays where the whole interval "
        "lies above zero. The intervals include how unsure the detector's own error rates are.",
        sections=sections(root, drawn, view),
        pages=tuple(_entry(name, *texts) for name, texts in ((f"{k}.html", v) for k, v in PAGES.items()))
        + tuple(_entry(name, *texts) for name, texts in CARDS.items()),
        provenance=_provenance(line, stage),
        traces=_traces(line),
    )
    write_index(root / paths.INDEX_PAGE, front)
    figures = {"pages": len(jobs), "figures": len(drawn), "results": line.digest()}
    write_json(root / paths.metrics("report"), figures)
    return f"{len(jobs)} notebooks → {paths.INDEX_PAGE}"


def _write_cards(root: Path, folder: Path, links: list[Link], params: dict[str, Any]) -> None:
    card = model_card(root).markdown()
    write_text(folder / "model_card.md", card)
    text = yaml.safe_dump(params, sort_keys=False, allow_unicode=True, width=100)
    contents = {
        "data_card.html": from_markdown(Images(root).card()),
        "model_card.html": from_markdown(card),
        "params.html": Markup(
            "<h1>Parameters</h1>\n<p>As params.yaml held them for this run.</p>\n<pre>{}</pre>"
        ).format(text),
    }
    for name, content in contents.items():
        write_plain(folder / name, title=CARDS[name][0], content=content, navigation=links)


def _plain(config: FactoryConfig) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config.factory)))
    return {"profile": config.profile, "seed": config.seed, "factory": plain}


def _entry(name: str, title: str, summary: str) -> Page:
    return Page(title, f"{paths.REPORTS.name}/{name}", summary)


def _provenance(line: ProductionLine, stage: Stage[FactoryConfig]) -> Table:
    prepared, evaluated = line.metrics("prepare"), line.metrics("evaluate")
    digest = line.json(paths.EVALUATION / "operating_point.json")["model"]
    rows = [
        ("data", f"{prepared['data']}, {prepared['images']} images, sha256 {prepared['dataset_sha256'][:12]}"),
        (
            "detector",
            f"{line.metrics('export')['format'].upper()}, sha256 {digest[:12]}, {evaluated['test_parts']} test parts",
        ),
        (
            "line",
            f"{line.metrics('simulate')['replications']} replications of every scenario, seed {stage.config.seed}",
        ),
        ("results", line.digest()),
    ]
    return Table.of(("part", "what it was"), rows)


def _traces(line: ProductionLine) -> tuple[Markup, ...]:
    filter_text = f"tags.results = '{line.digest()}'"
    return (
        Markup("The MLflow run: <code>make ui</code>, experiment <em>factory</em>, search for <code>{}</code>.").format(
            filter_text
        ),
        Markup('The exact parameters: <a href="{}/params.html">params</a>, and params.yaml of the same commit.').format(
            paths.REPORTS.name
        ),
        Markup('The plan as an interactive chart: <a href="{}/gantt.html">gantt</a>.').format(paths.REPORTS.name),
    )
