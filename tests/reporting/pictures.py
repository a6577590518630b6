"""What every figure owes its readers."""

from twinloop.reporting.style import Picture


def assert_tells(figure: Picture) -> None:
    """It is a picture that can be drawn, with words for who cannot see it."""
    assert isinstance(figure, Picture)
    assert len(figure.alt) > 20
    assert figure.png.startswith(b"\x89PNG")
    both = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    ticks = [tick.get_text() for axis in both for tick in axis.get_ticklabels("both")]
    assert not any("mathdefault" in tick for tick in ticks), ticks


def assert_labelled(figure: Picture) -> None:
    """It fits a page, and every label of its axes names a unit."""
    assert figure.css_width <= 800
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
    assert labels
    assert all("(" in label for label in labels), labels


def assert_whole(figure: Picture) -> None:
    """No label is cut off by the edge."""
    assert figure.png
    drawn = figure.get_tightbbox()  # inches
    assert drawn.x0 >= -0.02
    assert drawn.y0 >= -0.02
    assert drawn.x1 <= figure.get_figwidth() + 0.02
    assert drawn.y1 <= figure.get_figheight() + 0.02
