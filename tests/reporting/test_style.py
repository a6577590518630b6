import subprocess
import sys

import matplotlib
import pytest

from twinloop.reporting.style import CYCLE, PIXELS_PER_INCH, Picture, drawn, single


@drawn
def plotted() -> Picture:
    figure, axes = single(4.0, 3.0)
    axes.plot([0, 1], [0, 1], label="$x")
    axes.set(xlabel="time (h)", ylabel="level (parts)")
    figure.alt = "a line from 0 to 1"
    return figure


def test_drawing_leaves_matplotlib_as_it_was():
    before = dict(matplotlib.rcParams)
    assert plotted().png
    assert dict(matplotlib.rcParams) == before


def test_a_figure_shows_itself_as_png_with_its_words():
    data, metadata = plotted()._repr_mimebundle_()
    assert data["text/plain"] == "a line from 0 to 1"
    assert metadata["image/png"] == {"alt": "a line from 0 to 1", "width": 384}


def test_saved_pixels_follow_the_size_in_inches(tmp_path):
    from PIL import Image

    plotted().save(tmp_path / "line.png")
    with Image.open(tmp_path / "line.png") as image:
        assert image.size == (4 * PIXELS_PER_INCH, 3 * PIXELS_PER_INCH)


def test_the_same_data_gives_the_same_bytes():
    assert plotted().png == plotted().png


def luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in matplotlib.colors.to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", CYCLE)
def test_every_colour_can_be_told_from_paper(colour):
    assert 1.05 / (luminance(colour) + 0.05) > 2.0


def test_figures_need_neither_pyplot_nor_torch():
    code = (
        "import sys; import twinloop.reporting.figures.data, twinloop.reporting.figures.model, "
        "twinloop.reporting.figures.ranking, twinloop.reporting.figures.training, "
        "twinloop.reporting.figures.simulation, twinloop.reporting.figures.scheduling, "
        "twinloop.reporting.figures.planning, "
        "twinloop.reporting.figures.shopfloor, twinloop.reporting.figures.decisions; "
        "print([m for m in ('matplotlib.pyplot', 'torch', 'mlflow', 'plotly', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
