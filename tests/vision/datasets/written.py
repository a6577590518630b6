"""Every layout in small, written to a folder by the tests that read it: about ten good and seven defective images."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.vision.datasets.images import plain_folder, put, spot, texture

GOOD, BAD = 10, 7


def mvtec(root: Path) -> Path:
    """One category: good images in train, good ones and two defects with masks in test."""
    for i in range(GOOD):
        put(root / ("train" if i < 6 else "test") / "good" / f"{i:03d}.png", texture(i))
    for i in range(BAD):
        kind = "crack" if i < 4 else "hole"
        put(root / "test" / kind / f"{i:03d}.png", texture(100 + i))
        put(root / "ground_truth" / kind / f"{i:03d}_mask.png", spot())
    (root / "license.txt").write_text("CC BY-NC-SA 4.0")
    return root


def dagm(root: Path) -> Path:
    """Two textures with Train and Test."""
    for number in (1, 2):
        for i in range(GOOD + BAD):
            split = root / f"Class{number}" / ("Train" if i % 2 else "Test")
            put(split / f"{i:04d}.PNG", texture(1000 * number + i))
            if i >= GOOD:
                put(split / "Label" / f"{i:04d}_label.PNG", spot())
    return root


def visa(root: Path) -> Path:
    """Two objects with image_anno.csv, and the one-class division; masks hold the numbers of defects."""
    divided = []
    for name in ("candle", "pcb1"):
        rows = []
        for i in range(GOOD):
            image = f"{name}/Data/Images/Normal/{i:04d}.JPG"
            rows.append((image, "normal", ""))
            divided.append((name, "train" if i < 6 else "test", "normal", image, ""))
        for i in range(BAD):
            image, mask = f"{name}/Data/Images/Anomaly/{i:03d}.JPG", f"{name}/Data/Masks/Anomaly/{i:03d}.png"
            rows.append((image, "melt,scratch" if i == 0 else "bent", mask))
            divided.append((name, "test", "anomaly", image, mask))
            put(root / mask, numbered_mask())
        for place, (image, *_) in enumerate(rows):
            put(root / image, texture(place + 500 * (name == "pcb1")))
        table(root / name / "image_anno.csv", ("image", "label", "mask"), rows)
    table(root / "split_csv" / "1cls.csv", ("object", "split", "label", "image", "mask"), divided)
    return root


def numbered_mask() -> np.ndarray:
    """Two defects, numbered 1 and 7."""
    mask = (spot() > 0).astype(np.uint8)
    mask[15:20, 2:6] = 7
    return mask


def table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def kolektor_sdd(root: Path) -> Path:
    """Six commutators of three images; one image of each of the last four is defective."""
    for number in range(1, 7):
        for i in range(3):
            put(root / f"kos{number:02d}" / f"Part{i}.jpg", texture(10 * number + i))
            put(root / f"kos{number:02d}" / f"Part{i}_label.bmp", spot() * np.uint8(number > 2 and i == 1))
    return root


def kolektor_sdd2(root: Path) -> Path:
    """Train and test, both with defects."""
    for i in range(GOOD + BAD):
        path = root / ("train" if i % 3 else "test") / f"{10000 + i}.png"
        put(path, np.stack([texture(i), texture(i + 50), texture(i + 90)], axis=2))
        put(path.with_name(f"{path.stem}_GT.png"), spot() * np.uint8(i >= GOOD))
    return root


def deep_pcb(root: Path) -> Path:
    """Two groups of four pairs below PCBData, with the lists of train and test."""
    lists: dict[str, list[str]] = {"trainval.txt": [], "test.txt": []}
    for number, group in enumerate(("00041", "12000")):
        for i in range(4):
            pair, folder = f"{group}{i:03d}", root / "PCBData" / f"group{group}"
            put(folder / group / f"{pair}_temp.jpg", texture(100 * number + 2 * i))
            put(folder / group / f"{pair}_test.jpg", texture(100 * number + 2 * i + 1))
            (folder / f"{group}_not").mkdir(exist_ok=True)
            (folder / f"{group}_not" / f"{pair}.txt").write_text("4 5 14 12 1\n20 8 24 10 3\n")
            row = f"group{group}/{group}/{pair}.jpg group{group}/{group}_not/{pair}.txt\n"
            lists["test.txt" if i == 3 else "trainval.txt"].append(row)
    for name, rows in lists.items():
        (root / "PCBData" / name).write_text("".join(rows))
    (root / "tools").mkdir()
    return root


def coco(root: Path) -> Path:
    """Boxes and one polygon in files for train and test, images below images/."""
    for split in ("train", "test"):
        content = coco_content(split)
        for entry in content["images"]:
            put(root / "images" / entry["file_name"], texture(entry["id"] + 200 * (split == "test")))
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def coco_content(split: str = "train") -> dict[str, list[dict]]:
    """Images 0 … 4 are good, 5 … 8 have a dent, 6 also a larger scratch, 8 a polygon."""
    images = [{"id": i, "file_name": f"{split}_{i}.png", "width": 32, "height": 24} for i in range(9)]
    marks: list[dict] = [{"id": i, "image_id": i, "category_id": 1, "bbox": [4, 5, 10, 7]} for i in range(5, 9)]
    marks.append({"id": 20, "image_id": 6, "category_id": 2, "bbox": [2, 2, 20, 20]})
    marks[3]["segmentation"] = [[4, 5, 14, 5, 4, 15]]
    return {
        "images": images,
        "annotations": marks,
        "categories": [{"id": 1, "name": "dent"}, {"id": 2, "name": "scratch"}],
    }


def voc(root: Path) -> Path:
    """Boxes in XML, five good images without objects, lists of train and test."""
    for i in range(12):
        put(root / "JPEGImages" / f"{i:04d}.jpg", texture(i))
        box = "" if i < 5 else voc_object("patches" if i < 9 else "inclusion", (5, 6, 14, 12))
        write_xml(root / "Annotations" / f"{i:04d}.xml", box)
    main = root / "ImageSets" / "Main"
    main.mkdir(parents=True)
    (main / "trainval.txt").write_text("".join(f"{i:04d}\n" for i in range(12) if i % 3))
    (main / "test.txt").write_text("".join(f"{i:04d}\n" for i in range(0, 12, 3)))
    return root


def voc_object(name: str, box: tuple[float, ...]) -> str:
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    inner = "".join(f"<{corner}>{value}</{corner}>" for corner, value in corners)
    return f"<object><name>{name}</name><bndbox>{inner}</bndbox></object>"


def write_xml(path: Path, objects: str, *, head: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = "<size><width>32</width><height>24</height><depth>1</depth></size>"
    path.write_text(f"{head}<annotation><filename>{path.stem}.jpg</filename>{size}{objects}</annotation>")


def yolo(root: Path) -> Path:
    """Boxes and one outline in text files, images and labels in train and val; good images have an empty file."""
    for i in range(GOOD + BAD):
        split = "val" if i % 3 == 0 else "train"
        put(root / "images" / split / f"{i}.jpg", texture(i))
        label = root / "labels" / split / f"{i}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        outline = "1 0.25 0.25 0.75 0.25 0.5 0.75\n" if i == GOOD else "0 0.5 0.5 0.25 0.5\n"
        label.write_text(outline if i >= GOOD else "")
    (root / "data.yaml").write_text("train: images/train\nval: images/val\nnc: 2\nnames: [dent, scratch]\n")
    return root


def labelme(root: Path) -> Path:
    """Rectangles, a polygon and a circle in JSON beside the images; good images have no shapes."""
    shapes = [
        {"label": "dent", "shape_type": "rectangle", "points": [[20, 15], [8, 5]]},
        {"label": "dent", "shape_type": "polygon", "points": [[4, 5], [14, 5], [4, 15]]},
        {"label": "pit", "shape_type": "circle", "points": [[16, 12], [16, 17]]},
    ]
    for i in range(GOOD + BAD):
        put(root / f"{i}.png", texture(i))
        content = {"imagePath": f"{i}.png", "imageHeight": 24, "imageWidth": 32, "imageData": None}
        content["shapes"] = [shapes[i % 3]] if i >= GOOD else []
        (root / f"{i}.json").write_text(json.dumps(content))
    return root


def labels_table(root: Path) -> Path:
    """Images in one folder and a table with a class and a set for each."""
    rows = []
    for i in range(GOOD + BAD):
        file = put(root / "images" / f"cell{i:03d}.png", texture(i)).relative_to(root).as_posix()
        rows.append((file, "ok" if i < GOOD else "crack", "test" if i % 3 == 0 else "train"))
    table(root / "labels.csv", ("file", "label", "split"), rows)
    return root


def segmentation(root: Path) -> Path:
    """Images and masks in two folders; the masks of good images are empty."""
    for i in range(GOOD + BAD):
        put(root / "images" / f"{i}.png", texture(i))
        put(root / "masks" / f"{i}.png", spot() * np.uint8(i >= GOOD))
    return root


def magnetic_tile(root: Path) -> Path:
    """Eight tiles of six exposures, three of them with blowholes."""
    rng = np.random.default_rng(1)
    number = 100
    for tile in range(8):
        folder, pattern = "MT_Blowhole" if tile < 3 else "MT_Free", rng.uniform(60, 190, (12, 12))
        for exposure in range(1, 7):
            number += 17
            path = root / folder / "Imgs" / f"exp{exposure}_num_{number}.jpg"
            put(path, np.kron(pattern * (0.8 + 0.05 * exposure), np.ones((8, 8))).astype(np.uint8))
            put(path.with_suffix(".png"), spot(height=96, width=96) * np.uint8(tile < 3))
    return root


WRITTEN: dict[str, Callable[[Path], Path]] = {
    "coco": coco,
    "dagm": dagm,
    "deep_pcb": deep_pcb,
    "folder": plain_folder,
    "kolektor_sdd": kolektor_sdd,
    "kolektor_sdd2": kolektor_sdd2,
    "labelme": labelme,
    "magnetic_tile": magnetic_tile,
    "mvtec": mvtec,
    "segmentation": segmentation,
    "table": labels_table,
    "visa": visa,
    "voc": voc,
    "yolo": yolo,
}
