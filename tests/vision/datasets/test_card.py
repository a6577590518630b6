"""The data card counts what the index holds and escapes what the data says."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from twinloop.vision.datasets.build import build
from twinloop.vision.datasets.card import escaped
from twinloop.vision.datasets.settings import DatasetSettings, SurfaceSettings


def test_the_card_counts_images_and_parts_per_class_and_split(tmp_path: Path) -> None:
    options = SurfaceSettings(parts=80, exposures=2, size_px=32, kinds=("pit", "stain"))
    result = build(DatasetSettings(surfaces=options), Path("unused"), tmp_path / "d", seed=1, workers=1)
    card = (tmp_path / "d" / "card.md").read_text()
    assert "| good | 48 (24) | 12 (6) | 20 (10) | 0 |" in card
    assert "| stain | 24 (12) | 6 (3) | 10 (5) | 40 |" in card
    assert result.digest in card
    assert card.endswith("## Quarantined\n\nNothing.\n")


@given(st.text())
def test_escaped_text_holds_no_markup(text: str) -> None:
    shown = escaped(text)
    assert not set(shown) & set("<>\n\r")
    assert "|" not in shown.replace("\\|", "")
