"""A look at a source before it is prepared: which layout it has, what is in it, what is wrong with its files.

Every image and mask is read just as prepare would read it, and nothing is kept. What prepare would
leave out or refuse is a problem; what it changes or cannot divide well is a remark.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from twinloop.errors import InputError
from twinloop.progress import bar
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.archives import opened
from twinloop.vision.datasets.comparing import Look, compare
from twinloop.vision.datasets.naming import no_good
from twinloop.vision.datasets.near import near
from twinloop.vision.datasets.needs import Seen, proposed, seen
from twinloop.vision.datasets.provenance import Tell, warning
from twinloop.vision.datasets.reading import conversions, pixel_limit
from twinloop.vision.datasets.samples import Collection, Refused, Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.splits import PARTS_FOR_ALL_SPLITS
from twinloop.vision.index import GOOD


@dataclass(frozen=True)
class ClassCount:
    """One class: its images, independent parts and images with a pixel mask."""

    label: str
    images: int
    parts: int
    masks: int


@dataclass(frozen=True)
class Inspection:
    """What was found.

    layout: None where none is recognised; near says what comes near to one. parts: independent ones over all classes
    together. problems: (file or "", reason) of all that prepare would leave out or stop at. remarks: sentences on what
    it would change, or cannot divide. tells: what else than defects tells good from defective.
    """

    layout: str | None
    classes: tuple[ClassCount, ...] = ()
    parts: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    tells: tuple[Tell, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        return sum(count.images for count in self.classes)

    @property
    def warning(self) -> str:
        """A sentence on the tells; "" where there are none."""
        return warning(self.tells)

    @property
    def shortcut(self) -> bool:
        """Whether a detector could learn one of the tells instead of the defects: a problem, not a remark."""
        return any(tell.visible for tell in self.tells)


@dataclass(frozen=True)
class Looked:
    """What reading one sample told: a digest of its pixels, whether it has a mask, why it is refused, what changes,
    what it is compared with others by, and what an input must show.
    """

    digest: str
    masked: bool
    refused: str
    changed: tuple[str, ...]
    look: Look | None = None
    seen: Seen | None = None


def inspect(source: Path, scratch: Path, settings: DatasetSettings, *, workers: int) -> Inspection:
    """Read every file of a folder or archive; an archive is unpacked into the new folder `scratch` for the while.

    Raises InputError where `source` is no folder and no archive, or an archive that is refused.
    """
    with opened(source, scratch, limits=settings.archive) as folder:
        try:
            layout = layouts.chosen(folder, settings)
        except InputError as error:
            return Inspection(None, problems=(("", str(error).replace(str(folder), str(source))),))
        if layout is None:
            return Inspection(None, near=near(folder) or ("no file in it is an image that is read",))
        try:
            collection = layouts.read_as(layout, folder, settings)
        except InputError as error:
            return Inspection(layout.name, problems=(("", str(error).replace(str(folder), str(source))),))
        samples = collection.samples
        with (
            pixel_limit(settings.max_pixels),
            ThreadPoolExecutor(max_workers=max(workers, 1)) as pool,
            bar("image", len(samples)) as shown,
        ):
            looked = []
            for result in pool.map(_look, samples):
                looked.append(result)
                shown.step()
    return _told(layout.name, collection, looked)


def _look(sample: Sample) -> Looked:
    changed = conversions(sample.path) if sample.path is not None else ()
    try:
        surface = sample.read()
    except Refused as refused:
        return Looked("", False, refused.for_operator, changed)
    digest = hashlib.sha256(str(surface.image.shape).encode() + surface.image.tobytes()).hexdigest()
    look = Look.at(sample.path, surface.image) if sample.path is not None else None
    mask = surface.mask if sample.label != GOOD else None
    return Looked(digest, mask is not None, "", changed, look, seen(surface.image, mask))


def _told(layout: str, collection: Collection, looked: Sequence[Looked]) -> Inspection:
    problems = list(collection.strays)
    images, masks, changes = Counter[str](), Counter[str](), Counter[str]()
    parts: dict[str, set[str]] = defaultdict(set)
    first: dict[str, Sample] = {}
    kept: list[tuple[Sample, Looked]] = []
    twins = 0
    for sample, result in zip(collection.samples, looked, strict=True):
        if result.refused:
            problems.append((sample.name, result.refused))
            continue
        other = first.setdefault(result.digest, sample)
        if other.label != sample.label:
            problems.append((sample.name, f"same image as {other.name}, which is of class {other.label}"))
            continue
        twins += other is not sample
        kept.append((sample, result))
        images[sample.label] += 1
        masks[sample.label] += result.masked
        parts[sample.label].add(sample.group)
        changes.update(result.changed)
    counts = tuple(
        ClassCount(label, images[label], len(parts[label]), masks[label])
        for label in sorted(images, key=lambda name: (name != GOOD, name))
    )
    if GOOD not in images:
        problems.append(("", no_good(images)))
    remarks = [f"{count} images: {change}" for change, count in sorted(changes.items())]
    if set(images) == {GOOD} and any(sample.label != GOOD for sample in collection.samples):
        problems.append(("", "every image with a defect is refused, only good ones are left"))
    elif set(images) == {GOOD}:
        remarks.append("no defect: learn from good images alone (ModelSettings.kind=patchcore, padim or simulated)")
    if 0 < len(parts[GOOD]) < PARTS_FOR_ALL_SPLITS:
        few = f"{len(parts[GOOD])} part" + ("s" if len(parts[GOOD]) > 1 else "")
        wanted = f"at least {PARTS_FOR_ALL_SPLITS}, to train on, to choose by and to test on"
        problems.append(("", f"good images show {few}, expected {wanted}: add good parts"))
    remarks += [
        f"class {count.label} has {count.parts} independent part{'s' if count.parts > 1 else ''}: "
        "too few for training, validation and test at once"
        for count in counts
        if count.parts < PARTS_FOR_ALL_SPLITS
    ]
    if twins:
        remarks.append(f"{twins} images repeat another of their class: the parts they show count as one")
    compared = compare(
        [sample.name for sample, _ in kept],
        [sample.label for sample, _ in kept],
        [sample.group for sample, _ in kept],
        [result.digest for _, result in kept],
        [result.look for _, result in kept],
    )
    pictures = [(sample, result.seen) for sample, result in kept if result.seen is not None]
    if GOOD in images and len(images) > 1:
        good, parts_of = [sample.label == GOOD for sample, _ in pictures], [sample.group for sample, _ in pictures]
        remarks += proposed([picture for _, picture in pictures], good, parts_of).reasons
    shown = tuple((printable(name), printable(reason)) for name, reason in problems)
    told = tuple(printable(note) for note in (*remarks, *collection.notes, *compared.remarks))
    return Inspection(layout, counts, len(set().union(*parts.values())), shown, told, compared.tells)
