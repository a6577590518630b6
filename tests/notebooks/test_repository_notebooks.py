import json
from pathlib import Path

import pytest

from twinloop.reporting.notebooks import execute, parameters_of
from twinloop.twins.factory import report
from twinloop.twins.fleet import report as fleet_report
from twinloop.twins.person import report as person_report

PLOTLY = "application/vnd.plotly.v1+json"
SHOWN = {"image/png", "text/html", PLOTLY}
FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
START = FOLDER / "00_quickstart.ipynb"
FACTORY, FLEET, PERSON = (sorted((FOLDER / twin).glob("*.ipynb")) for twin in ("factory", "fleet", "person"))
NOTEBOOKS = sorted([*FOLDER.glob("*.ipynb"), *FOLDER.glob("[a-z]*/*.ipynb")])


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_there_is_one_for_a_start_and_one_per_page():
    assert sorted(NOTEBOOKS) == sorted([START, *FACTORY, *FLEET, *PERSON])
    assert [path.stem for path in FACTORY] == list(report.PAGES)
    assert [path.stem for path in FLEET] == list(fleet_report.PAGES)
    assert [path.stem for path in PERSON] == list(person_report.PAGES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEvery:
    def test_it_has_the_format_kernel_and_ids_that_tools_rely_on(self, path):
        document = json.loads(path.read_text(encoding="utf-8"))
        assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
        assert document["metadata"]["kernelspec"]["name"] == "python3"
        assert [cell["id"] for cell in cells(path)] == [f"{path.name[:2]}-{k:02d}" for k in range(len(cells(path)))]

    def test_its_default_root_is_the_repository_seen_from_its_folder(self, path):
        assert parameters_of(path) == {"root": repr("/".join([".."] * (len(path.relative_to(FOLDER).parts))))}

    def test_prose_outweighs_code(self, path):
        prose, code = (
            sum(len("".join(cell["source"])) for cell in cells(path) if cell["cell_type"] == kind)
            for kind in ("markdown", "code")
        )
        assert prose > code

    def test_every_page_opens_with_its_title(self, path):
        assert "".join(cells(path)[0]["source"]).startswith("# ")


def test_the_quickstart_runs_without_earlier_outputs_and_without_torch(tmp_path):
    document = execute(START, tmp_path / "out.ipynb")
    outputs = [output for cell in document.cells for output in cell.get("outputs", []) if "data" in output]
    kinds = [next(iter(sorted(set(output["data"]) & SHOWN)), "text/plain") for output in outputs]
    assert kinds == ["image/png", *["text/html"] * 3, PLOTLY, *["text/html"] * 2, PLOTLY, PLOTLY]
    assert "optimal" in outputs[6]["data"]["text/html"]
