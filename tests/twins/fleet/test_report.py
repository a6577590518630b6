"""The fleet's report: five notebooks, cards and figures of a real small loop; the record registers what is served."""

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import ROOT
from tests.tracking import conftest as stores
from tests.twins.fleet.small_loop import stage
from twinloop.files import read_json, write_json
from twinloop.prognostics.prepared import tables_digest
from twinloop.tracking.stage_run import stage_run
from twinloop.tracking.store import Store
from twinloop.twins.fleet import paths, record, report
from twinloop.twins.fleet.results.anomalies import Anomalies
from twinloop.twins.fleet.results.assets import Assets
from twinloop.twins.fleet.results.prediction import Prediction
from twinloop.twins.fleet.results.search import Search
from twinloop.twins.fleet.results.workshop import Workshop
from twinloop.twins.fleet.twin import TWIN
from twinloop.twins.stage import Stage

empty_store, store = stores.empty_store, stores.store
HOSTILE = "<script>alert(1)</script>"


def make_hostile(root: Path) -> None:
    """Put markup in the place of a vehicle's name: as if no earlier stage had cleaned it."""
    for folder in (paths.DATASET, paths.EVALUATION, paths.SCHEDULE):
        for path in sorted((root / folder).glob("*.parquet")):
            frame = pl.read_parquet(path)
            own = [name for name, kind in frame.schema.items() if name in ("asset", "job") and kind == pl.String]
            if own and not path.name.endswith("risks.parquet"):
                kept = {name: value for name, value in pl.read_parquet_metadata(path).items() if "twinloop" in name}
                frame.with_columns(pl.col(own).replace({"VEH002": HOSTILE})).write_parquet(path, metadata=kept)
    about = root / paths.DATASET / "dataset.json"
    write_json(about, read_json(about) | {"sha256": tables_digest(about.parent)})


@pytest.fixture(scope="module")
def reported(fleet_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root on which all stages up to report have run."""
    root = tmp_path_factory.mktemp("reported") / "loop"
    shutil.copytree(fleet_root, root)
    make_hostile(root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "summary").write_text(report.run(stage(root)))
    return root


class Reader(HTMLParser):
    """Collects elements and their attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def pages(root: Path) -> Iterator[Path]:
    return (root / paths.REPORTS).glob("*.html")


def test_every_notebook_and_card_has_its_page(reported: Path) -> None:
    assert (reported / "summary").read_text() == "5 notebooks → reports/fleet/index.html"
    names = {page.name for page in pages(reported)}
    assert names == {"index.html", *report.CARDS, *(f"{name}.html" for name in report.PAGES)}
    headline, simulated = (read_json(reported / paths.metrics(verb)) for verb in ("report", "simulate"))
    assert headline["cost_per_vehicle_day"] == simulated["cost_per_vehicle_day"]


def test_figures_have_plain_names(reported: Path) -> None:
    names = {path.name for path in (reported / paths.FIGURES).iterdir()}
    assert {"fleet_grid.png", "vehicle.png", "methods.png", "leaky_split.png", "demand.png", "policies.png"} <= names
    assert {"fleet_replay.svg", "capacity.png", "day_in_bays.png", "alerts.png", "anomalies.png"} <= names
    assert all(re.fullmatch(r"[a-z_]+\.(png|svg)", name) for name in names)


def test_pages_ask_nobody_and_no_name_becomes_markup(reported: Path) -> None:
    for page in pages(reported):
        elements = Reader(page).elements
        assert "script" not in {tag for tag, _ in elements}, page.name
        sources = [a["src"] for tag, a in elements if tag == "img" and a.get("src")]
        assert all(str(source).startswith("data:") for source in sources), page.name
    shop = (reported / paths.REPORTS / "12_workshop_and_policy.html").read_text()
    assert "&lt;script&gt;alert(1)" in shop


def test_the_replay_is_on_the_first_page_and_on_that_of_the_fleet(reported: Path) -> None:
    for name in ("index.html", "08_fleet_exploration.html"):
        classes = {a.get("class") for tag, a in Reader(reported / paths.REPORTS / name).elements if tag == "img"}
        assert {"play", "still"} <= classes


def test_the_page_says_where_the_sequence_model_is_worse(fleet_root: Path) -> None:
    told, found = Prediction(fleet_root).where_worse(), Prediction(fleet_root)
    network, trees = found.of("pr_auc", "network"), found.of("pr_auc", "boosted")
    for name in network:
        assert (name in told) == (network[name].mean < trees[name].mean), told
    assert len(found.sequence_model().rows) == len(found.about["components"])


def test_pages_tell_figures_with_their_intervals(fleet_root: Path) -> None:
    found = Prediction(fleet_root)
    assert all(
        "…" in row[1] for row in found.summary().rows if row[0] in ("PR-AUC", "Brier score", "calibration error")
    )
    assert [row[0] for row in found.promised().rows] == ["by asset and time", "by row", "promised too much"]
    assert {"component", "method", "mean", "low", "high"} <= set(found.splits()["judged"].columns)
    assert found.unseen_modes().headers[2:4] == ("found, mode learnt", "found, mode held out")
    left = Assets(fleet_root).remaining().rows
    assert 0 < len(left) <= 12
    assert all("…" in row[3] for row in left)


def test_the_study_of_the_trees_is_shown(fleet_root: Path) -> None:
    search = Search(fleet_root)
    assert len(search.table_of_trials().rows) == search.study["trials"] == len(search.history()["values"])
    assert not search.compared
    assert dict(search.summary().rows)["settings used"] == "found by the search"


def test_the_story_is_about_the_vehicle_that_it_names(fleet_root: Path) -> None:
    assets = Assets(fleet_root)
    assert assets.featured == "VEH003"
    shown = assets.vehicle()
    assert len(shown["signals"]["sensor"].unique()) == 4
    assert shown["followed"][0] in assets.failures_of("VEH003")["component"].to_list()
    cells = assets.cells
    for _, component, probability, status in cells.iter_rows():
        assert (status == "act") == (probability >= assets.thresholds[component])
    assert len(cells) == len(assets.risks.assets) * len(assets.about["components"])


def test_alarms_are_counted_against_failures(fleet_root: Path) -> None:
    found = Anomalies(fleet_root)
    counted = {row[0]: int(row[1]) for row in found.detectors().rows}
    assert counted == {
        name: part.filter("alarm").height
        for (name,), part in found.found.partition_by("detector", as_dict=True).items()
    }


def test_savings_are_told_against_the_best_fixed_intervals(fleet_root: Path) -> None:
    shop = Workshop(fleet_root)
    assert shop.saved("fixed interval") is None
    costs = {name: shop.kpi(name, "cost_per_vehicle_day").mean for name in shop.names}
    for name in set(shop.names) - {"fixed interval"}:
        saved = shop.saved(name)
        assert saved is not None
        assert saved.mean == pytest.approx(costs["fixed interval"] - costs[name])
        assert saved.low <= saved.mean <= saved.high


def test_the_record_registers_predictor_and_book_once(reported: Path, store: Store) -> None:
    made = stage(reported)

    def recorded() -> str:
        with stage_run(
            store, twin="fleet", stage="record", execution_key="k", params={}, tags={}, system_metrics=False
        ) as tracker:
            return record.run(Stage(made.config, reported, tracker, made.workers))

    summary = recorded()
    assert summary.endswith("fleet-predictor version 1, fleet-booking version 1")
    assert recorded().endswith("fleet-predictor version 1, fleet-booking version 1")
    assert set(TWIN.models) == {"predictor", "booking"}
