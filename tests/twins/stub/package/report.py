"""Run the notebook and write the stub's page and answer."""

from markupsafe import Markup
from twinloop.twins.stub import paths
from twinloop.twins.stub.config import StubConfig
from twinloop.twins.stub.results import StubOutputs
from twinloop.twins.stub.twin import TWIN

from twinloop.files import write_json
from twinloop.reporting.front import write_answer
from twinloop.reporting.pages import Landing
from twinloop.reporting.report import Report, traces
from twinloop.reporting.style import Picture, drawn, single
from twinloop.reporting.tables import Table
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop stub report"
PAGES = {"01_tosses": ("Tosses", "how often the coin fell on heads")}
CARDS = {"card.html": ("Card", "what the coin is")}


def run(stage: Stage[StubConfig]) -> str:
    """Write the pages, the answer and the stage's metrics."""
    outputs = StubOutputs(stage.root)
    report = Report(stage.root, TWIN.reports, paths.NOTEBOOKS, PAGES, CARDS)
    pictures = report.publish(lambda: {"gains": _gains(outputs)}, state=stage.state, workers=1)
    report.write_card("card.html", Markup("<h1>A coin</h1>"))
    table = Table.of(("", "value"), [("gain", outputs.metrics("simulate")["gain"])])
    landing = Landing(
        title=TWIN.title,
        kicker="Stub twin",
        sentence=outputs.sentence(),
        figure=pictures["gains"],
        table=table,
        reading="Per toss.",
        sections=(),
        pages=report.listed,
        provenance=table,
        traces=traces(TWIN.name, outputs.digest()),
    )
    report.write_landing(landing)
    page = TWIN.index_page.relative_to("reports").as_posix()
    figure = pictures["gains"]
    write_answer(stage.root / TWIN.answer, title=TWIN.title, sentence=outputs.sentence(), page=page, figure=figure)
    write_json(stage.root / TWIN.metrics("report"), {"results": outputs.digest()})
    return f"1 notebook → {TWIN.index_page}"


@drawn
def _gains(outputs: StubOutputs) -> Picture:
    figure, axes = single(3, 2)
    axes.plot(outputs.gains().cumsum())
    figure.alt = "What betting on heads has earned after each toss."
    return figure
