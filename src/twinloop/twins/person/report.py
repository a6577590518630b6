"""Run the four notebooks and write the report: its first page, a page per notebook, cards, parameters and figures.

Only the front page depends on what is written here, and only on the answer.
"""

from twinloop.files import write_json, write_text
from twinloop.learning.latency import latency_metrics
from twinloop.reporting.front import write_answer
from twinloop.reporting.pages import Landing, from_markdown
from twinloop.reporting.report import Report, parameters_page, traces
from twinloop.reporting.tables import Table
from twinloop.twins.person import paths
from twinloop.twins.person.config import PersonConfig
from twinloop.twins.person.results.base import PersonOutputs
from twinloop.twins.person.results.capacity import Capacity
from twinloop.twins.person.results.dashboards import data_card, model_card, pictures, sections
from twinloop.twins.person.twin import TWIN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person report"
PAGES = {
    "14_speech": (
        "Speech",
        "what is misheard, by whom, and how far such errors go; questions and replies to listen to",
    ),
    "15_knowledge_and_retrieval": ("Knowledge", "what it knows, how well that is found, what each part is worth"),
    "16_persona_and_answers": ("Answers", "what is said and refused, and whether its manner shows"),
    "17_conversation_and_capacity": ("Capacity", "how many people it serves at once, and which meetings it attends"),
}
CARDS = {
    "data_card.html": ("Data card", "what the person has, how it was divided, what was spoken of it"),
    "model_card.html": ("Model card", "what the responder is, how it was measured, where it must not be used"),
    "params.html": ("Parameters", "every value that this report was made with"),
}


def run(stage: Stage[PersonConfig]) -> str:
    """Write pages, cards, figures, the answer and the stage's metrics; returns the summary line."""
    root = stage.root
    report = Report(root, paths.REPORTS, paths.NOTEBOOKS, PAGES, CARDS)
    drawn = report.publish(lambda: pictures(root), state=stage.state, workers=stage.workers)
    card = model_card(root).markdown()
    write_text(root / paths.MODEL_CARD, card)
    report.write_card("data_card.html", from_markdown(data_card(root)))
    report.write_card("model_card.html", from_markdown(card))
    report.write_card("params.html", parameters_page(TWIN.params(stage.config)))
    capacity = Capacity(root)
    sentence, figure = capacity.answer["sentence"], drawn["users"]
    landing = Landing(
        title=TWIN.title,
        kicker=f"{TWIN.title} · profile {stage.config.profile} · how many people can talk to it at once?",
        sentence=sentence,
        figure=figure,
        table=capacity.levers(),
        reading="Each row is one change of the same service, simulated with the same people and turns: it serves more "
        "where the whole interval lies above zero. The intervals include how unsure the measured times are.",
        sections=sections(root, drawn),
        pages=report.listed,
        provenance=_provenance(capacity, stage),
        traces=traces(TWIN.name, capacity.digest()),
    )
    report.write_landing(landing)
    page = TWIN.index_page.relative_to("reports").as_posix()
    write_answer(root / TWIN.answer, title=TWIN.title, sentence=sentence, page=page, figure=figure)
    write_json(root / paths.metrics("report"), {**_headline(capacity), "results": capacity.digest()})
    return f"{len(PAGES)} notebooks → {TWIN.index_page}"


def _headline(outputs: PersonOutputs) -> dict[str, float]:
    """What `dvc metrics` and `dvc exp show` compare executions by: the twin's columns."""
    measured = {verb: outputs.metrics(verb) for verb in paths.STAGES}
    times = latency_metrics(outputs.json(paths.LATENCY), measured["export"]["format"])
    return TWIN.columns.headline({**measured, "latency": times})


def _provenance(outputs: PersonOutputs, stage: Stage[PersonConfig]) -> Table:
    prepared, settings = outputs.metrics("prepare"), stage.config.person
    chosen = outputs.described["providers"]
    service = settings.service.profile or "measured by this run"
    rows = [
        ("data", f"{prepared['data']}, {prepared['documents']} documents, sha256 {prepared['dataset_sha256'][:12]}"),
        (
            "providers",
            f"{chosen['name']}: hears by {chosen['speech_to_text']['name']}, finds by "
            f"{chosen['encoder']['name']}, speaks by {chosen['text_to_speech']['name']}",
        ),
        ("times of the service", service),
        (
            "service",
            f"{settings.simulate.replications} replications of {settings.simulate.hours:g} h, seed {stage.config.seed}",
        ),
        ("results", outputs.digest()),
    ]
    return Table.of(("part", "what it was"), rows)
