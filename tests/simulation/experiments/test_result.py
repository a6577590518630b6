from html.parser import HTMLParser

from tests.simulation.lines import camera_line

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
    face = line.run(days=0.2, replications=2)._repr_html_()
    assert "<script" not in face
    assert "&lt;script&gt;" in face
