import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.simulation.pricing.written import plain
from twinloop import cli

LINE, PRICES = ROOT / "conf/factory/line/assembly.yaml", ROOT / "conf/factory/economy/default.yaml"
EXPERIMENT = """days: 0.5
warmup_days: 0.1
replications: 3
thresholds: 3
levers:
  - {name: chosen, lever: threshold, change: {threshold: chosen}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text("")
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    plain(tmp_path / "scores <b>.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(*more: str, scores: str = "scores <b>.csv") -> int:
    return cli.main(
        ["price", scores, "--line", str(LINE), "--economy", str(PRICES), "--experiment", "experiment.yaml", *more]
    )


def test_a_model_is_priced_on_the_terminal_and_on_a_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("--today", "0.5") == 0
    printed = capsys.readouterr()
    assert "As the table's probability: today reject from 0.500; chosen " in printed.out
    assert "what is changed against today" in printed.out
    assert "read       scores <b>.csv: 100 looks at 60 good and 40 defective parts" in printed.err
    page = (project / "scores <b>_price.html").read_text(encoding="utf-8")
    assert printed.out.splitlines()[0] in page
    assert page.count('<img src="data:image/png;base64,') == 3
    assert "scores &lt;b&gt;.csv" in page
    assert "<b>.csv" not in page


def test_as_json_all_is_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("--json", "--out", "here.html") == 0
    record = json.loads(capsys.readouterr().out)
    assert {"answer", "as_scored", "levers", "thresholds", "classes", "parts", "costs", "notes"} <= record.keys()
    assert (project / "here.html").is_file()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--out", "page.pdf"), "price: --out page.pdf: expected a file name that ends in .html"),
        (("--column", "truth"), "price: --column truth: expected WHAT=NAME"),
        (("--line", "none.yaml"), "line: none.yaml: cannot be read"),
        (("--economy", "none.yaml"), "economy: none.yaml: cannot be read"),
        (("--economy", "experiment.yaml"), "economy: experiment.yaml: "),
        (("--good", "fine"), "price: --good fine: no such class"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_used_is_told_in_one_line(
    more: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(*more) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert len([row for row in said.splitlines() if "read  " not in row]) == 1
