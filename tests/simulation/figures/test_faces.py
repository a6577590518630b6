from html.parser import HTMLParser
from xml.etree import ElementTree

from tests.simulation.lines import camera_line, fixed, serial_line
from twinloop.simulation import Rework

HOSTILE = "<script>alert(1)</script>"


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


def test_a_line_is_drawn_with_its_stations_and_capacities():
    drawn = camera_line(rework=Rework(cycle=fixed(3.0))).with_(buffer_1=17)._repr_html_()
    texts = [element.text for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("text")]
    assert {"press", "camera", "17", "∞", "rework (10 wait, 1× then scrap)", "bottleneck"} <= set(texts)


def test_a_line_without_inspection_has_no_lower_row():
    assert "scrap" not in serial_line(2, buffer=1)._repr_html_()
    assert "scrap" in camera_line()._repr_html_()


def test_results_and_comparisons_are_tables_with_intervals():
    line = camera_line()
    result = line.run(days=0.3, replications=3)
    face = Balanced()
    face.feed(result._repr_html_())
    assert face.open == []
    assert {"Profit", "Throughput", "95 % interval"} <= set(face.cells)
    assert any("assumed rates" in cell for cell in face.cells)
    comparison = Balanced()
    comparison.feed(result.compare(line.with_(buffer_1=9).run(days=0.3, replications=3))._repr_html_())
    assert comparison.open == []
    assert "difference" in comparison.cells


def test_hostile_names_are_escaped():
    line = camera_line().with_(name=HOSTILE)
    for face in (line._repr_html_(), line.run(days=0.2, replications=2)._repr_html_()):
        assert "<script" not in face
        assert "&lt;script&gt;" in face
