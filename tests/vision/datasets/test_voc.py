"""VOC: boxes from XML that is read without expanding anything; a faulty file costs its image only."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.vision.datasets.images import put, texture
from tests.vision.datasets.written import voc as written
from tests.vision.datasets.written import voc_object, write_xml
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.samples import Collection, Refused
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.voc import voc

ENTITIES = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha" * 10}">' for i in range(12))
BOMB = f"<?xml version='1.0'?>\n<!DOCTYPE annotation [{ENTITIES}]>"


def read(source: Path) -> Collection:
    return voc(source, DatasetSettings(kind="voc", source=str(source)))


def test_classes_and_division(tmp_path: Path) -> None:
    samples = read(written(tmp_path)).samples
    assert Counter(sample.label for sample in samples) == {"good": 5, "patches": 4, "inclusion": 3}
    assert Counter(sample.division for sample in samples) == {"train": 8, "test": 4}


def test_corners_count_from_one_and_lie_inside(tmp_path: Path) -> None:
    mask = read(written(tmp_path)).samples[5].read().mask
    assert mask is not None
    expected = np.zeros((24, 32), bool)
    expected[5:12, 4:14] = True
    np.testing.assert_array_equal(mask, expected)


def test_images_may_lie_in_folders_of_their_class(tmp_path: Path) -> None:
    for name in ("good", "crazing"):
        put(tmp_path / "IMAGES" / name / f"{name}_1.jpg", texture(len(name)))
        objects = "" if name == "good" else voc_object(name, (5, 6, 14, 12))
        write_xml(tmp_path / "ANNOTATIONS" / f"{name}_1.xml", objects)
    assert {sample.label for sample in read(tmp_path).samples} == {"good", "crazing"}


FAULTY = {
    "bomb": (("", BOMB), "0005.xml:2: holds a DOCTYPE or an entity, which are not read"),
    "external": (("", '<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "0005.xml:1: holds a DOCTYPE or an entity"),
    "not closed": (("<object>", ""), "0005.xml:1: expected XML, found mismatched tag"),
    "no number": (
        (voc_object("dent", ("a", 1, 2, 3)), ""),  # type: ignore[arg-type]
        "0005.xml: object 1: expected bndbox with xmin, ymin, xmax, ymax, found 'a 1 2 3'",
    ),
    "no box": (("<object><name>dent</name></object>", ""), "0005.xml: object 1: expected bndbox with"),
    "no name": (("<object><name> </name></object>", ""), "0005.xml: object 1: expected a name, found ''"),
}


@pytest.mark.parametrize(("content", "reason"), FAULTY.values(), ids=list(FAULTY))
def test_a_faulty_file_puts_its_image_aside(tmp_path: Path, content: tuple[str, str], reason: str) -> None:
    write_xml(written(tmp_path) / "Annotations" / "0005.xml", content[0], head=content[1])
    found = read(tmp_path)
    ((name, told),) = found.strays
    assert name == "JPEGImages/0005.jpg"
    assert told.startswith(reason)
    assert len(found.samples) == 11


def test_images_and_annotations_without_each_other_are_strays(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "JPEGImages" / "0001.jpg").unlink()
    (tmp_path / "Annotations" / "0002.xml").unlink()
    assert read(tmp_path).strays == (
        ("Annotations/0001.xml", "annotation has no image"),
        ("JPEGImages/0002.jpg", "has no annotation"),
    )


def test_a_box_far_outside_and_another_size_refuse_the_image(tmp_path: Path) -> None:
    written(tmp_path)
    write_xml(tmp_path / "Annotations" / "0005.xml", voc_object("dent", (5, 6, 60, 12)))
    put(tmp_path / "JPEGImages" / "0006.jpg", texture(6, height=30))
    samples = {sample.name: sample for sample in read(tmp_path).samples}
    with pytest.raises(Refused, match=r"box 4 5 60 12 \(0005\.xml: object 1\) reaches outside the image of 32×24"):
        samples["JPEGImages/0005.jpg"].read()
    with pytest.raises(Refused, match="image is 32×30, its annotation says 32×24"):
        samples["JPEGImages/0006.jpg"].read()


def test_a_box_rounded_outwards_is_cut_to_the_image(tmp_path: Path) -> None:
    write_xml(written(tmp_path) / "Annotations" / "0005.xml", voc_object("dent", (0, 0, 33, 25)))
    mask = next(sample for sample in read(tmp_path).samples if sample.name.endswith("0005.jpg")).read().mask
    assert mask is not None
    assert mask.all()


# With a declaration, as .NET writes it also before what it saves in UTF-8.
@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", "UTF-16"), ("utf-16", ""), ("utf-8", "utf-16"), ("utf-8-sig", "utf-16"), ("latin-1", "ISO-8859-1")],
)
def test_xml_is_read_in_the_encoding_that_it_has(tmp_path: Path, encoding: str, declared: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    for i in range(4):
        put(tmp_path / f"{i}.png", texture(i))
        box = voc_object("Stoß", (5, 6, 14, 12)) if i else ""
        write_xml(tmp_path / f"{i}.xml", box, head=head)
        text = (tmp_path / f"{i}.xml").read_text()
        (tmp_path / f"{i}.xml").write_bytes(text.encode(encoding))
    found = layouts.read(tmp_path, DatasetSettings(kind="auto"))
    assert found.layout == "voc"
    assert Counter(sample.label for sample in found.samples) == {"good": 1, "Stoß": 3}
