"""From a source of surfaces to a prepared dataset: read, judge, divide, and put in place as a whole.

A folder is built beside the target and exchanged for it at the end, so that no earlier run leaves
anything behind and no reader sees half of it.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from twinloop.errors import InputError, RunError
from twinloop.files import replacing, write_text
from twinloop.progress import say
from twinloop.vision.datasets import layouts
from twinloop.vision.datasets.archives import opened
from twinloop.vision.datasets.card import data_card
from twinloop.vision.datasets.comparing import compare
from twinloop.vision.datasets.folds import Folds, needed
from twinloop.vision.datasets.naming import no_good
from twinloop.vision.datasets.needs import Input, Seen, proposed, seen
from twinloop.vision.datasets.reading import pixel_limit
from twinloop.vision.datasets.samples import Collection, Refused, Sample, Surface
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.splits import (
    check_splits,
    choose_groups,
    given_split,
    group_split,
    kfold,
    missing_classes,
)
from twinloop.vision.datasets.storing import Quarantine, Stored, store
from twinloop.vision.index import CARD_FILE, GOOD, INDEX_FILE, QUARANTINE_FILE, SCHEMA
from twinloop.vision.synthetic.surfaces import Photograph, photographs

# Of a source whose tiling the data decide, as many samples are looked at first.
SCANNED = 400


@dataclass(frozen=True, eq=False)
class Prepared:
    """What was built: the index, the files left out as (file, reason), a digest of all content and splits, the layout
    that was read, a warning where something else than defects tells good from defective, and the folds in which every
    part is tested where a test set holds too few defects.
    """

    index: pl.DataFrame
    quarantine: tuple[tuple[str, str], ...]
    digest: str
    layout: str
    warning: str = ""
    folds: Folds | None = None


def build(
    settings: DatasetSettings,
    source: Path,
    target: Path,
    *,
    seed: int,
    workers: int,
    named: Callable[[str], str] = str,
) -> Prepared:
    """Prepare the folder `target` from `source`, replacing what was there.

    named: gives a message with settings called as the reader knows them; the quarantine list is written with it.
    Raises InputError where the source cannot be used at all, and RunError where more than
    `settings.quarantine_share` of it cannot; then `target` holds the quarantine list only.
    """
    with replacing(target) as fresh:
        with _collected(settings, source, fresh.parent / "unpacked", seed) as collection:
            samples = _limited(collection.samples, settings.limit_parts, seed)
            quarantine = Quarantine(len(samples) + len(collection.strays), source.name, named)
            for stray in collection.strays:
                quarantine.add(*stray)
            tile_px = _tile_px(samples, settings)
            stored = store(samples, quarantine, fresh, max_pixels=settings.max_pixels, workers=workers, tile_px=tile_px)
        stored = _without_contradictions(stored, quarantine, fresh)
        quarantine.save(fresh / QUARANTINE_FILE)
        whole = [item.whole.label for item in stored if item.whole]
        lost = any(sample.label != GOOD for sample in samples) and set(whole) <= {GOOD}
        if accepted := quarantine.share <= settings.quarantine_share and not lost:
            index, drawn = _indexed(stored, settings, source, seed)
            index.write_parquet(fresh / INDEX_FILE)
            folds = _folds(index, settings)
            division = [drawn]
            if folds is not None:
                folds.save(fresh)
                division.append(f"Few defects: {folds.reason}.")
            digest = _digest(index, stored)
            pictures = [item for item in stored if item.whole is not None]
            compared = compare(
                [item.source for item in pictures],
                [item.whole.label for item in pictures if item.whole],
                [item.group for item in pictures],
                [item.picture for item in pictures],
                [item.whole.look for item in pictures if item.whole],
            )
            shown = _shown(pictures, tile_px)
            replace(shown, reasons=tuple(map(named, shown.reasons))).save(fresh)
            card = data_card(
                index,
                title=collection.layout,
                origin=collection.origin,
                warning=named(compared.warning),
                notes=[named(note) for note in (*collection.notes, *compared.remarks, *shown.reasons, *division)],
                quarantine=quarantine.entries,
                digest=digest,
            )
            write_text(fresh / CARD_FILE, card)
        else:
            shutil.rmtree(fresh / "images")
            shutil.rmtree(fresh / "masks")
    if not accepted:
        reason, times = quarantine.most_common()
        if lost:
            raise RunError(
                f"data: every image with a defect is quarantined, only good ones are left; most often ({times}×): "
                f"{reason}: see {target / QUARANTINE_FILE}, fix the files"
            )
        raise RunError(
            f"data: {len(quarantine)} of {quarantine.total} files quarantined, more than the tolerated share of "
            f"{settings.quarantine_share:g}; most often ({times}×): {reason}: see {target / QUARANTINE_FILE}, "
            "fix the files or raise DatasetSettings.quarantine_share"
        )
    return Prepared(index, tuple(quarantine.entries), digest, collection.layout, compared.warning, folds)


@contextmanager
def _collected(settings: DatasetSettings, source: Path, unpacked: Path, seed: int) -> Iterator[Collection]:
    """The samples of the source; an archive lies unpacked in a folder of its own for as long as the block lasts."""
    if settings.kind == "synthetic":
        yield _rendered(settings, seed)
        return
    with opened(source, unpacked, limits=settings.archive) as folder:
        yield layouts.read(folder, settings)


def _rendered(settings: DatasetSettings, seed: int) -> Collection:
    def read(photo: Photograph) -> Surface:
        return Surface(*photo.render())

    samples = tuple(
        Sample(photo.name, photo.part.label, photo.group, partial(read, photo))
        for photo in photographs(settings.surfaces, seed=seed)
    )
    options = settings.surfaces
    origin = (
        f"Rendered by twinloop.vision.synthetic.surfaces with seed {seed}: {options.parts} parts × {options.exposures} "
        f"exposures of {options.size_px} px, textures {', '.join(options.textures)}, grain {options.grain:g}, defects "
        f"{', '.join(options.kinds)}, contrast {options.contrast:g}, scale {options.scale[0]:g} to "
        f"{options.scale[1]:g}. "
        "No rights of others are involved."
    )
    return Collection(samples, origin, ("Masks are exact: they are drawn with the defects.",), layout="synthetic")


def _limited(samples: tuple[Sample, ...], limit: int, seed: int) -> list[Sample]:
    groups = [sample.group for sample in samples]
    if limit == 0 or limit >= len(set(groups)):
        return list(samples)
    kept = choose_groups([sample.label for sample in samples], groups, limit=limit, seed=seed)
    return [sample for sample in samples if sample.group in kept]


def _tile_px(samples: Sequence[Sample], settings: DatasetSettings) -> int:
    """Side of the tiles that samples are cut into; where the data decide, some of them are looked at first."""
    if settings.tile_px >= 0:
        return settings.tile_px
    looked: list[tuple[Seen, Sample]] = []
    with pixel_limit(settings.max_pixels):
        for sample in samples[:: max(-(-len(samples) // SCANNED), 1)]:
            with suppress(Refused):
                surface = sample.read()
                looked.append((seen(surface.image, surface.mask if sample.label != GOOD else None), sample))
    if not looked:
        return 0
    labels = [sample.label == GOOD for _, sample in looked]
    return proposed([told for told, _ in looked], labels, [sample.group for _, sample in looked]).tile_px


def _shown(pictures: Sequence[Stored], tile_px: int) -> Input:
    wholes = [(item.whole, item.group) for item in pictures if item.whole is not None]
    return proposed(
        [whole.seen for whole, _ in wholes],
        [whole.label == GOOD for whole, _ in wholes],
        [group for _, group in wholes],
        tile_px=tile_px,
    )


def _without_contradictions(stored: list[Stored], quarantine: Quarantine, fresh: Path) -> list[Stored]:
    """One and the same image under two classes: the later one goes, one of them must be wrong."""
    first: dict[str, Stored] = {}
    label_of = {item.source: item.whole.label for item in stored if item.whole is not None}
    kept = []
    for item in stored:
        other = first.setdefault(item.picture, item)
        if other is item or other.source == item.source or label_of[other.source] == label_of[item.source]:
            kept.append(item)
            continue
        quarantine.add(item.source, f"same image as {other.source}, which is of class {label_of[other.source]}")
        for key in ("image", "mask"):
            if item.row[key] is not None:
                (fresh / str(item.row[key])).unlink()
    return kept


def _indexed(stored: list[Stored], settings: DatasetSettings, source: Path, seed: int) -> tuple[pl.DataFrame, str]:
    """The index, and a sentence on how it was divided."""
    labels = [item.label for item in stored]
    present = sorted(set(labels))
    if GOOD not in present:
        raise InputError(f"data: {source}: {no_good(present)}")
    digests = [item.picture for item in stored]
    groups = joined_groups([item.group for item in stored], digests)
    splits, note = _divided(labels, groups, [item.division for item in stored], settings, seed)
    check_splits(groups, splits, digests=digests, names=[item.source for item in stored])
    for label, gaps in missing_classes(labels, splits).items():
        parts = len({group for group, own in zip(groups, labels, strict=True) if own == label})
        say(f"data: class {label!r} has {parts} independent parts and is absent from {' and '.join(gaps)}")
    rows = [
        {**item.row, "group": group, "split": split} for item, group, split in zip(stored, groups, splits, strict=True)
    ]
    return pl.DataFrame(rows, schema=SCHEMA), f"Division: {note}."


def _divided(
    labels: list[str], groups: list[str], divisions: list[str], settings: DatasetSettings, seed: int
) -> tuple[tuple[str, ...], str]:
    shares = {"val_share": settings.val_share, "test_share": settings.test_share}
    if settings.division == "given":
        return given_split(labels, groups, divisions, seed=seed, **shares)
    if settings.folds > 0:
        splits = kfold(labels, groups, folds=settings.folds, val_share=settings.val_share, seed=seed)
        return splits[settings.fold], f"test is fold {settings.fold} of {settings.folds} (from 0), by part and class"
    return group_split(labels, groups, seed=seed, **shares), "drawn by part, in every class the same shares"


def _folds(index: pl.DataFrame, settings: DatasetSettings) -> Folds | None:
    if settings.folds >= 0 or settings.division == "given":
        return None
    labels, groups, splits = (index[name].to_list() for name in ("label", "group", "split"))
    return needed(labels, groups, splits, val_share=settings.val_share)


def joined_groups(groups: Sequence[str], digests: Sequence[str]) -> list[str]:
    """Groups that hold one and the same image become one, named by the first of them in alphabetical order."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    first: dict[str, str] = {}
    for group, digest in zip(groups, digests, strict=True):
        ours, theirs = root(group), root(first.setdefault(digest, group))
        if ours != theirs:
            parent[max(ours, theirs)] = min(ours, theirs)
    return [root(group) for group in groups]


def _digest(index: pl.DataFrame, stored: list[Stored]) -> str:
    """Over pixels, classes, parts and splits; not over PNG bytes, which depend on the compressor's version."""
    lines = [
        "\t".join((row["image"], row["label"], row["group"], row["split"], item.content))
        for row, item in zip(index.iter_rows(named=True), stored, strict=True)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
