"""A table of labels: columns and meanings are found out, or asked; what it names and is not there is said."""

import unicodedata
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from tests.vision.datasets.images import put, spot, texture
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
    "title": ("labels.csv", "Line 3, shift B\n\n# exported\nfile,label\n" + rows(WORDS)),
    "first file missing": ("labels.csv", "file,label\nimages/gone.png,good\n" + rows(WORDS)),
    "hint of Excel": ("labels.csv", "sep=;\nfile;label\n" + rows(WORDS, mark=";")),
    "decimal commas": ("labels.csv", "file;p_defect\n" + rows([c.replace(".", ",") for c in CHANCES], mark=";")),
    "per cent": ("labels.csv", "file,probability\n" + rows([f"{100 * float(c):g} %" for c in CHANCES])),
    "bar": ("labels.csv", "file|label\n" + rows(WORDS, mark="|")),
    "folders without ending": ("labels.csv", "file,label\n" + rows(WORDS, name="images/cell{:04d}")),
    "backslashes": ("labels.csv", "file,label\n" + rows(WORDS, name="images\\cell{:04d}.png")),
}


@pytest.mark.parametrize(("file", "text"), READ.values(), ids=list(READ))
def test_tables_of_many_kinds_are_read(tmp_path: Path, file: str, text: str) -> None:
    (images(tmp_path) / file).write_text(text)
    found = read(tmp_path)
    assert found.layout == "table"
    assert {name for name, _ in found.strays} <= {"images/gone.png"}
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


def test_an_image_with_a_row_for_each_defect_counts_once(tmp_path: Path) -> None:
    text = "file,label,x\n" + rows([f"{word},{place}" for place, word in enumerate(WORDS)])
    (images(tmp_path) / "labels.csv").write_text(text + "images/cell0000.png,good,70\nimages/cell0000.png,good,80\n")
    found = read(tmp_path)
    assert (len(found.samples), found.strays) == (8, ())
    assert "2 rows name an image again with the same class: it counts once." in found.notes


def test_missing_and_unlisted_files_are_set_aside(tmp_path: Path) -> None:
    text = "file,label\n" + rows(WORDS[:7]) + "images/gone.png,crack\n"
    (images(tmp_path) / "labels.csv").write_text(text)
    found = read(tmp_path)
    assert len(found.samples) == 7
    assert dict(found.strays) == {
        "images/gone.png": "labels.csv:9 names images/gone.png, which is not there",
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


def workbook(path: Path, **sheets: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(path)


CELLS: list[list[object]] = [[f"cell{i:04d}.png", word] for i, word in enumerate(WORDS)]


def test_labels_may_lie_on_any_sheet_below_a_title_and_beside_an_open_workbook(tmp_path: Path) -> None:
    images(tmp_path)
    labels = [["Inspection"], [], ["Date", "2026-12-01"], ["Bild", "Fehlerart"], *CELLS]
    workbook(tmp_path / "labels.xlsx", Notes=[["made by", "ann"]], Labels=labels)
    (tmp_path / "~$labels.xlsx").write_bytes(b"ann")
    assert Counter(sample.label for sample in read(tmp_path).samples) == {"good": 5, "crack": 3}


def test_two_sheets_are_asked_about(tmp_path: Path) -> None:
    workbook(images(tmp_path) / "labels.xlsx", train=[["file", "label"], *CELLS], test=[["file", "label"], *CELLS])
    with pytest.raises(InputError, match=r"several tables .*\(labels\.xlsx, sheet train, labels\.xlsx, sheet test\)"):
        read(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_found_in_any_encoding_and_unicode_form(tmp_path: Path, encoding: str, form: str) -> None:
    for i, _ in enumerate(WORDS):
        put(tmp_path / "images" / unicodedata.normalize(form, f"Prüfteil{i}.png"), texture(i))
    text = "Bild;Klasse\r\n" + "".join(f"Prüfteil{i}.png;{word}\r\n" for i, word in enumerate(WORDS))
    (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
    found = read(tmp_path)
    assert (found.layout, found.strays) == ("table", ())
    assert Counter(sample.label for sample in found.samples) == {"good": 5, "crack": 3}


ASKED = {
    "blank": (["", "", *["crack"] * 6], r"column label: 2 cells are blank and none says good: .*unmarked=good"),
    "all blank": ([""] * 8, r"column label: every cell is blank"),
    "numbers of classes": (["0"] * 4 + ["1"] * 2 + ["2"] * 2, r"found 0, 1, 2: which of them is good\? .*good=\['0'\]"),
    "beyond a probability": (["5.5"] * 5 + ["92.1"] * 3, "found 5.5, 92.1: expected a probability of a defect"),
}


@pytest.mark.parametrize(("labels", "reason"), ASKED.values(), ids=list(ASKED))
def test_labels_that_do_not_tell_what_is_good_are_asked_about(tmp_path: Path, labels: list[str], reason: str) -> None:
    (images(tmp_path) / "labels.csv").write_text("file,label\n" + rows(labels))
    with pytest.raises(InputError, match=reason):
        read(tmp_path)


def test_blank_cells_are_what_the_setting_says(tmp_path: Path) -> None:
    (images(tmp_path) / "labels.csv").write_text("file,label\n" + rows(["", "", *["crack"] * 6]))
    assert Counter(sample.label for sample in read(tmp_path, unmarked="good").samples) == {"good": 2, "crack": 6}
    (tmp_path / "labels.csv").write_text("file,label\n" + rows(["", "good", *["crack"] * 6]))
    assert read(tmp_path).strays == (("images/cell0000.png", "labels.csv:2 gives no class"),)


def test_classes_that_differ_in_capitals_alone_are_one(tmp_path: Path) -> None:
    (images(tmp_path) / "labels.csv").write_text("file,label\n" + rows(["OK", "ok", *["Crack", "crack"] * 3]))
    assert Counter(sample.label for sample in read(tmp_path).samples) == {"good": 2, "Crack": 6}


def test_a_second_row_that_disagrees_is_told(tmp_path: Path) -> None:
    (images(tmp_path) / "labels.csv").write_text("file,label\n" + rows(WORDS) + "images/cell0000.png,crack\n")
    assert read(tmp_path).strays == (
        ("images/cell0000.png", "labels.csv:10 names images/cell0000.png, a second time, as crack instead of good"),
    )


def test_a_column_of_dates_or_of_parts_is_no_class(tmp_path: Path) -> None:
    dates = [f"2026-01-{i + 1:02d}" for i in range(12)]
    (images(tmp_path, 12) / "labels.csv").write_text("file,day\n" + rows(dates))
    with pytest.raises(InputError, match=r"which column is the class\? Found file, day: .*kind names another layout"):
        read(tmp_path)
    (tmp_path / "labels.csv").write_text("file,part\n" + rows(dates))
    with pytest.raises(InputError, match=r"tells parts, .* read from groups\.csv"):
        read(tmp_path)


def test_masks_beside_the_images_of_a_table_are_read(tmp_path: Path) -> None:
    for i, word in enumerate(WORDS):
        put(tmp_path / "images" / f"cell{i:04d}.png", texture(i))
        if word != "good":
            put(tmp_path / "masks" / f"cell{i:04d}.png", spot())
    (tmp_path / "labels.csv").write_text("file,label\n" + rows(WORDS, name="cell{:04d}.png"))
    with pytest.raises(InputError, match="fits the layouts table and segmentation"):
        read(tmp_path)
    found = read(tmp_path, kind="table")
    assert found.strays == ()
    assert [sample.label for sample in found.samples if sample.masks] == ["crack"] * 3


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (
            "labels.csv",
            "file,label\n" + rows(WORDS, name="c{:04d}.bmp"),
            r"names none of the images here, and c0000\.bmp",
        ),
        (
            "labels.csv",
            "file,label\n" + rows(WORDS[:1]) + rows(WORDS[:7], name="gone{:04d}.png"),
            "names 1 of the images",
        ),
        ("labels.xls", "an old workbook", r"labels\.xls is no format that is read: save it as XLSX or CSV"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_before_its_images_are_taken_for_a_class(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (images(tmp_path) / name).write_text(text)
    with pytest.raises(InputError, match=rf"no folder says good \(DatasetSettings\.good\), and .*{reason}"):
        read(tmp_path)
    assert {sample.label for sample in read(tmp_path, good=("images",)).samples} == {"good"}


def test_a_table_in_a_folder_of_its_own_is_told_where_it_belongs(tmp_path: Path) -> None:
    (images(tmp_path) / "lists").mkdir()
    (tmp_path / "lists" / "labels.csv").write_text("file,label\n" + rows(WORDS))
    with pytest.raises(InputError, match=r"lists: expected images, found labels\.csv: a table of labels belongs into"):
        read(tmp_path)
