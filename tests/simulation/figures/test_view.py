import base64
import re
from xml.etree import ElementTree

import polars as pl
import pytest

from tests.simulation.figures.drawn import LINES, ONE, SERIAL
from tests.simulation.lines import log_of, queue
from twinloop.errors import InputError
from twinloop.simulation.figures import view
from twinloop.simulation.figures.states import STATE_COLOURS
from twinloop.simulation.figures.view import MovingView, factory_view
from twinloop.simulation.model.line import Line

HOSTILE = "<script>alert(1)</script>"
HOURS = 8 * 60.0


def view_of(line: Line, **more: float) -> MovingView:
    return factory_view(line, log_of(line, minutes=HOURS).frame(), horizon=HOURS, **more)


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return [element for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}" + tag)]


@pytest.mark.parametrize("name", LINES)
def test_any_line_moves_without_scripts_and_requests_within_its_size(name):
    found = view_of(LINES[name])
    for svg in (found.moving, found.still):
        ElementTree.fromstring(svg)
        assert "<script" not in svg
        assert "url(" not in svg
        assert {use.get("href") for use in elements(svg, "use")} <= {"#g", "#b"}
        assert len(svg) < 300_000
    assert len(elements(found.moving, "animateTransform")) > 5
    assert "animate" not in found.still
    assert found.css_width <= 800
    assert LINES[name].name in found.alt


def test_the_same_log_gives_the_same_picture():
    assert view_of(SERIAL) == view_of(SERIAL)


def test_animations_share_one_clock_and_are_well_formed():
    svg = view_of(SERIAL, minutes=20.0).moving
    moving = elements(svg, "animate") + elements(svg, "animateTransform")
    assert {one.get("dur") for one in moving} == {"20s"}
    for one in moving:
        if one.get("keyTimes"):
            times = [float(time) for time in one.get("keyTimes").split(";")]
            assert times == sorted(times)
            assert times[0] == 0
            assert len(times) == len(one.get("values").split(";"))


# A part comes at minute 2, waits from 3 to 5, is worked on to 9 and leaves; the next one is defective and stays.
STORY = pl.DataFrame(
    [
        (0.0, "starved", "desk", None, None),
        (2.0, "enter", "source", 0, "good"),
        (2.0, "queue", "desk", 0, None),
        (4.0, "enter", "source", 1, "crack"),
        (4.0, "queue", "desk", 1, None),
        (5.0, "running", "desk", 0, None),
        (9.0, "ship", "desk", 0, "good"),
        (9.0, "down", "desk", None, None),
    ],
    schema={"time_min": pl.Float64, "event": pl.String, "entity": pl.String, "part": pl.Int64, "condition": pl.String},
    orient="row",
)


def still_of(at: float) -> tuple[list[str], list[str], set[str]]:
    """Parts, words and colours of machines seen at a minute of the story."""
    from twinloop.simulation.figures.painter import Painter

    svg = Painter(ONE, STORY, 0.0, 12.0, 0.0).svg(at)
    parts = [use.get("href") for use in elements(svg, "use")][:-2]  # the legend has the last two
    words = ["".join(text.itertext()) for text in elements(svg, "text")]
    fills = {rect.get("fill") for rect in elements(svg, "rect")}
    colours = {state for state, colour in STATE_COLOURS.items() if colour in fills}
    return parts, words, colours


@pytest.mark.parametrize(
    ("at", "parts", "words"),
    [
        (1.0, [], ("starved", "0", "shipped 0, scrapped 0")),
        (3.0, ["#g"], ("starved", "1")),
        (4.5, ["#g", "#b"], ("starved", "2")),
        (6.0, ["#g", "#b"], ("running", "1")),
        (11.0, ["#b"], ("down", "1", "shipped 1, scrapped 0", "day 1, 0 h 11 min")),
    ],
)
def test_parts_states_levels_and_counts_are_those_of_the_moment(at, parts, words):
    seen, told, _ = still_of(at)
    assert seen == parts
    assert set(words) <= set(told)


def test_the_still_shows_the_moment_of_most_states():
    found = factory_view(ONE, STORY, horizon=12.0, start=0.0, minutes=12.0)
    assert "starved" in found.still
    assert found.alt.endswith("1 are shipped, 0 scrapped; machines are running, down, starved")


def test_days_count_after_the_warm_up():
    assert (
        "from warm-up, minute 0 to day 1, 0 h 02 min"
        in factory_view(ONE, STORY, horizon=12.0, start=0.0, minutes=12.0, warmup_min=10.0).alt
    )


def test_the_stretch_is_where_most_happens():
    quiet = pl.DataFrame({"time_min": [float(k) for k in range(200)]}).with_columns(
        event=pl.lit("running"), entity=pl.lit("desk"), part=pl.lit(None, pl.Int64), condition=pl.lit(None, pl.String)
    )
    events = pl.concat([quiet, STORY.with_columns(pl.col("time_min") + 120.0)]).sort("time_min", maintain_order=True)
    told = factory_view(ONE, events, horizon=200.0, minutes=30.0).alt
    start = int(re.search(r"from day 1, (\d) h (\d+)", told).group(1)) * 60 + int(
        re.search(r"from day 1, (\d) h (\d+)", told).group(2)
    )
    assert start <= 122
    assert start + 30 >= 129


def test_a_picture_that_would_be_too_large_is_of_a_shorter_stretch(monkeypatch):
    whole = view_of(SERIAL, minutes=60.0, start=60.0)
    monkeypatch.setattr(view, "MOST_BYTES", len(whole.moving) // 2)
    half = view_of(SERIAL, minutes=60.0, start=60.0)
    assert len(half.moving) <= len(whole.moving) // 2
    assert half.alt != whole.alt


def test_a_queue_without_limit_does_not_make_the_picture_grow():
    line = queue(arrivals=2.0)
    sizes = [
        len(
            factory_view(
                line, log_of(line, minutes=horizon).frame(), horizon=horizon, start=horizon - 31.0, minutes=30.0
            ).moving
        )
        for horizon in (200.0, 3000.0)
    ]
    assert sizes[1] < 1.5 * sizes[0]


@pytest.mark.parametrize(("start", "minutes"), [(-1.0, 5.0), (HOURS, 5.0), (0.0, 0.0)])
def test_a_stretch_outside_of_the_log_is_refused(start, minutes):
    with pytest.raises(InputError, match=r"view: start = .*: expected a stretch within the log's 0 … 480 minutes"):
        view_of(ONE, start=start, minutes=minutes)


def test_its_face_has_both_pictures_with_words_and_a_switch():
    face = view_of(SERIAL.with_(name=HOSTILE))._repr_html_()
    assert "<script" not in face
    pictures = re.findall(
        r'<img class="(\w+)" src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)" width="(\d+)"', face
    )
    assert [kind for kind, *_ in pictures] == ["play", "still"]
    for _, data, words, width in pictures:
        assert "&lt;script&gt;" in words
        assert int(width) <= 800
        assert "&lt;script" in base64.b64decode(data).decode()
    assert "prefers-reduced-motion" in face


def test_it_is_saved_as_a_picture_of_its_own(tmp_path):
    found = view_of(ONE)
    found.save(tmp_path / "view.svg")
    assert (tmp_path / "view.svg").read_text() == found.moving
