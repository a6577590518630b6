"""The front page over all twins: every answer that is there, in order, with figure and link, escaped."""

from pathlib import Path

from twinloop.reporting.front import PAGE, read_answers, write_answer, write_front
from twinloop.reporting.style import Picture, drawn, single

HOSTILE = "<script>alert(1)</script>"


@drawn
def picture(alt: str) -> Picture:
    figure, axes = single(3, 2)
    axes.plot([0, 1])
    figure.alt = alt
    return figure


def leave(root: Path, twin: str, sentence: str) -> Path:
    file = Path("reports/answers") / f"{twin}.json"
    figure = picture(f"{twin}: a line")
    write_answer(root / file, title=twin, sentence=sentence, page=f"{twin}/index.html", figure=figure)
    return file


def test_every_twin_that_has_an_answer_is_shown_with_figure_and_link(tmp_path: Path) -> None:
    one, two = leave(tmp_path, "one", "Raise it."), leave(tmp_path, "two", "Lower it.")
    answers = read_answers(tmp_path, [two, Path("reports/answers/three.json"), one])
    assert [answer.sentence for answer in answers] == ["Lower it.", "Raise it."]
    write_front(tmp_path, answers)
    text = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert text.index('href="two/index.html"') < text.index('alt="two: a line"') < text.index('href="one/index.html"')
    assert text.count('src="data:image/png;base64,') == 2


def test_what_a_twin_says_stays_text(tmp_path: Path) -> None:
    write_front(tmp_path, read_answers(tmp_path, [leave(tmp_path, "one", HOSTILE)]))
    assert "<script" not in (tmp_path / PAGE).read_text(encoding="utf-8")
