from markupsafe import Markup

from twinloop.reporting.cards import ModelCard
from twinloop.reporting.pages import KeyFigure, Landing, Link, Page, Section, from_markdown, write_landing, write_plain
from twinloop.reporting.style import Picture, drawn, single
from twinloop.reporting.tables import Table

HOSTILE = "<script>alert(1)</script>"


@drawn
def picture() -> Picture:
    figure, axes = single(3, 2)
    axes.set(xlabel="x (m)")
    figure.alt = HOSTILE
    return figure


def landing() -> Landing:
    table = Table.of([HOSTILE], [[HOSTILE]], caption=HOSTILE)
    section = Section(
        "model", HOSTILE, HOSTILE, (KeyFigure(HOSTILE, HOSTILE, HOSTILE),), (picture(),), Markup("<em>view</em>")
    )
    return Landing(
        title=HOSTILE,
        kicker=HOSTILE,
        sentence=HOSTILE,
        figure=picture(),
        table=table,
        reading=HOSTILE,
        sections=(section,),
        pages=(Page(HOSTILE, "a.html", HOSTILE),),
        provenance=table,
        traces=(HOSTILE, Markup("<code>kept</code>")),
    )


def test_the_first_page_escapes_every_text_and_keeps_our_markup(tmp_path):
    write_landing(tmp_path / "index.html", landing())
    text = (tmp_path / "index.html").read_text()
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 20
    assert "<code>kept</code>" in text
    assert text.index("<h2") < text.index("<em>view</em>") < text.index('class="pair"')
    assert text.index('class="answer"') < text.index("<figure>") < text.index("<table>") < text.index("<h2")


def test_a_plain_page_marks_where_it_is(tmp_path):
    links = [Link("One", "one.html"), Link("Two", "two.html")]
    write_plain(tmp_path / "two.html", title="Two", content=Markup("<p>text</p>"), navigation=links)
    text = (tmp_path / "two.html").read_text()
    assert '<a href="one.html">One</a>' in text
    assert '<a href="two.html" class="here">Two</a>' in text


def test_markdown_becomes_markup_and_html_in_it_stays_text():
    markup = from_markdown("# A & b\n\n| a | b |\n|---|--:|\n| x | <b>1</b> |\n")
    assert "<h1>A &amp; b</h1>" in markup
    assert "<table>" in markup
    assert "&lt;b&gt;" in markup


def test_a_model_card_says_everything_and_nothing_in_it_is_markup():
    table = Table.of(["figure", "value"], [[HOSTILE, "a|b *c*"]], numeric=[1])
    card = ModelCard(
        title=HOSTILE,
        description=HOSTILE,
        facts=[("digest", "abc_1_2")],
        metrics=table,
        operating_point=table,
        intended=["Sorting."],
        limits=["Only here.\n# no heading"],
    )
    page = from_markdown(card.markdown())
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4
    assert page.count("<h1>") == 1
    assert page.count("<table>") == 3
    assert "abc_1_2" in page
    assert "a|b *c*" in page
    for heading in ("What it is", "What was measured", "Where it is run", "Intended use", "Limits"):
        assert f"<h2>{heading}</h2>" in page
