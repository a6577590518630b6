"""A table of labels: columns and meanings are found out, or asked; what it names and is not there is said."""

from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from tests.vision.datasets.images import put, texture
from twinloop.errors import InputError
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection
from twinloop.vision.datasets.settings import DatasetSettings


def read(source: Path, **changed: object) -> Collection:
    return layouts.read(source, DatasetSettings(**({"kind": "auto"} | changed)))  # type: ignore[arg-type]


def images(root: Path, count: int = 8) -> Path:
    for i in range(count):
        put(root / "images" / f"cell{i:04d}.png", texture(i))
    return root


def rows(labels: list[str], *, mark: str = ",", name: str = "images/cell{:04d}.png") -> str:
    return "".join(f"{name.format(i)}{mark}{label}\n" for i, label in enumerate(labels))


WORDS = ["good"] * 5 + ["crack"] * 3
CHANCES = ["0.0", "0.0", "0.333", "0.333", "0.0", "1.0", "0.667", "1.0"]
READ = {
    "comma": ("labels.csv", "file,label\n" + rows(WORDS)),
    "semicolon": ("data.csv", "Bild;Klasse\n" + rows(WORDS, mark=";", name="cell{:04d}.png")),
    "tab": ("labels.tsv", "label\timage\n" + "".join(f"{w}\tcell{i:04d}\n" for i, w in enumerate(WORDS))),
    "blanks, no header": ("labels.csv", rows([f"{p}   mono" for p in CHANCES], mark="  ")),
    "probability": ("labels.csv", "file,probability\n" + rows(CHANCES)),
    "defective": ("labels.csv", "file,defective\n" + rows(["0"] * 5 + ["1"] * 3)),
    "true and false": ("labels.csv", "file,ok\n" + rows(["True"] * 5 + ["False"] * 3)),
    "guessed": ("labels.csv", "file,label\n" + rows(["ok_front"] * 5 + ["def_front"] * 3)),
    "backslashes": ("labels.csv", "file,label\n" + rows(WORDS, name="images\\cell{:04d}.png")),
}


@pytest.mark.parametrize(("file", "text"), READ.values(), ids=list(READ))
def test_tables_of_many_kinds_are_read(tmp_path: Path, file: str, text: str) -> None:
    (images(tmp_path) / file).write_text(text)
    found = read(tmp_path)
    assert found.layout == "table"
    assert found.strays == ()
    assert Counter(sample.label == "good" for sample in found.samples) == {True: 5, False: 3}


def test_a_workbook_is_read(tmp_path: Path) -> None:
    images(tmp_path)
    book = openpyxl.Workbook()
    book.active.append(["file", "label", "part"])
    for i, word in enumerate(WORDS):
        book.active.append([f"cell{i:04d}.png", word, f"P{i // 2}"])
    book.save(tmp_path / "labels.xlsx")
    found = read(tmp_path)
    assert Counter(sample.label for sample in found.samples) == {"good": 5, "crack": 3}
    assert [sample.group for sample in found.samples[:3]] == ["P0", "P0", "P1"]


def test_a_damaged_workbook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (images(tmp_path) / "labels.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(InputError, match=r"labels\.xlsx: expected a workbook, cannot be read .*save it as CSV"):
        layouts.read(tmp_path, DatasetSettings(kind="table"))


def test_numbers_do_not_tell_what_is_good(tmp_path: Path) -> None:
    (images(tmp_path) / "labels.csv").write_text("file,label\n" + rows(["0"] * 5 + ["1"] * 3))
    with pytest.raises(InputError, match=r"column label: found 0, 1: which of them is good\? .*good=\['0'\]"):
        read(tmp_path)
    assert Counter(s.label for s in read(tmp_path, good=("0",)).samples) == {"good": 5, "class 1": 3}
    assert Counter(s.label for s in read(tmp_path, good=("1",)).samples) == {"good": 3, "class 0": 5}


def test_several_columns_are_asked_about(tmp_path: Path) -> None:
    text = "file,shift,operator\n" + rows([f"{word},ann" for word in WORDS])
    (images(tmp_path) / "labels.csv").write_text(text)
    with pytest.raises(InputError, match=r"which column is the class\? Found file, shift, operator"):
        read(tmp_path)
    assert len(read(tmp_path, label_column="shift").samples) == 8


def test_the_limit_of_a_probability_is_a_setting_and_said(tmp_path: Path) -> None:
    (images(tmp_path) / "labels.csv").write_text("file,probability\n" + rows(CHANCES))
    found = read(tmp_path, defect_from=0.3)
    assert Counter(sample.label for sample in found.samples) == {"defect": 5, "good": 3}
    assert any("defective from 0.3 (DatasetSettings.defect_from)" in note for note in found.notes)


def test_missing_repeated_and_unlisted_files_are_set_aside(tmp_path: Path) -> None:
    text = "file,label\n" + rows(WORDS[:7]) + "images/gone.png,crack\nimages/cell0000.png,good\n"
    (images(tmp_path) / "labels.csv").write_text(text)
    found = read(tmp_path)
    assert len(found.samples) == 7
    assert dict(found.strays) == {
        "images/gone.png": "labels.csv:9 names images/gone.png, which is not there",
        "images/cell0000.png": "labels.csv:10 names images/cell0000.png, a second time",
        "images/cell0007.png": "labels.csv does not list it",
    }


def test_two_tables_are_asked_about(tmp_path: Path) -> None:
    images(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("file,label\n" + rows(WORDS))
    with pytest.raises(InputError, match=r"several tables name the images \(a\.csv, b\.csv\)"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [("p_good", "0.9", "0.1"), ("good", "1", "0"), ("is_ok", "yes", "no"), ("IO", "ja", "nein")],
)
def test_a_column_about_being_good_rises_with_good_parts(tmp_path: Path, column: str, good: str, bad: str) -> None:
    (images(tmp_path) / "labels.csv").write_text(f"file,{column}\n" + rows([good] * 5 + [bad] * 3))
    assert Counter(sample.label for sample in read(tmp_path).samples) == {"good": 5, "defect": 3}
