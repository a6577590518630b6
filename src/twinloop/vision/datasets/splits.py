"""Train, validation and test sets that share no part.

Stratified by class over independent parts (Sechidis et al. 2011: rarest class first, each part goes
where its class is most wanted), because a split by image puts exposures of one part on both sides
and measures memory. `random_split` does just that, on purpose, to show the difference.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from twinloop.errors import InputError, RunError
from twinloop.vision.index import SPLITS

Side = TypeVar("Side", bound=Hashable)

# A class with fewer parts cannot be trained on, chosen by and tested on at once.
PARTS_FOR_ALL_SPLITS = 3


def group_split(
    labels: Sequence[str], groups: Sequence[str], *, val_share: float, test_share: float, seed: int
) -> tuple[str, ...]:
    """A split ("train", "val", "test") for every image, the same for all images of a group.

    labels, groups: N each. Shares are of groups, per class; a class of three or more groups gets at least one in every
    split, one of two groups goes to train and test, a single one to train.
    """
    classes_of = _classes_of(labels, groups)
    counts = Counter(label for classes in classes_of.values() for label in classes)
    wanted = {label: _wanted(count, val_share, test_share) for label, count in counts.items()}
    placed = _dealt(classes_of, wanted, SPLITS, rng=default_rng(SeedSequence(seed, spawn_key=(1,))))
    return tuple(placed[group] for group in groups)


def kfold(
    labels: Sequence[str], groups: Sequence[str], *, folds: int, val_share: float, seed: int
) -> tuple[tuple[str, ...], ...]:
    """For each of `folds` folds a split of every image; each group is in "test" of exactly one fold.

    labels, groups: N each. Folds are stratified by class over groups. In each, `val_share` of the groups of every class
    are drawn for "val" from what is not "test", at least one where two or more are left. Raises InputError for fewer
    groups than folds.
    """
    classes_of = _classes_of(labels, groups)
    if len(classes_of) < 2:
        raise InputError("data: expected 2 or more independent parts, found 1: folds cannot be made of it")
    if not 2 <= folds <= len(classes_of):
        raise InputError(f"data: expected from 2 to {len(classes_of)} folds (independent parts), found {folds}")
    counts = Counter(label for classes in classes_of.values() for label in classes)
    wanted: dict[str, dict[int, int]] = {}
    start = 0
    for label in sorted(counts, key=lambda c: (counts[c], c)):
        whole, rest = divmod(counts[label], folds)
        # What is left over goes to the folds in turn, so that no fold gets the rest of every class.
        extra = {(start + i) % folds for i in range(rest)}
        wanted[label] = {fold: whole + (fold in extra) for fold in range(folds)}
        start += rest
    fold_of = _dealt(classes_of, wanted, range(folds), rng=default_rng(SeedSequence(seed, spawn_key=(4,))))
    splits = []
    for fold in range(folds):
        rest_of = {group: classes for group, classes in classes_of.items() if fold_of[group] != fold}
        left = Counter(label for classes in rest_of.values() for label in classes)
        shares = {label: _halves(count, round(val_share * counts[label]), "val") for label, count in left.items()}
        stream = default_rng(SeedSequence(seed, spawn_key=(5, fold)))
        placed = _dealt(rest_of, shares, ("train", "val"), rng=stream)
        splits.append(tuple(placed.get(group, "test") for group in groups))
    return tuple(splits)


def given_split(
    labels: Sequence[str],
    groups: Sequence[str],
    divisions: Sequence[str],
    *,
    val_share: float,
    test_share: float,
    seed: int,
) -> tuple[tuple[str, ...], str]:
    """The train and test sets that came with the data, with a validation set drawn from them; and a note on how.

    divisions: "train", "val", "test" of each image. A validation set that came is kept; where only train and it came,
    it is the test set. Else validation is drawn by group: val_share of train, or, where train holds a single class,
    val_share / (val_share + test_share) of test. Raises InputError where a group is divided or no division came.
    """
    came = set(divisions)
    if not {"train"} < came or "" in came:
        raise InputError(
            f"data: expected images in train and test, {divisions.count('')} of {len(divisions)} are in neither: "
            "the data came undivided, use DatasetSettings.division=made"
        )
    if "test" not in came:
        divisions = ["test" if division == "val" else division for division in divisions]
    side: dict[str, str] = {}
    for group, division in zip(groups, divisions, strict=True):
        if side.setdefault(group, division) != division:
            raise InputError(
                f"data: part {group!r} is in {side[group]} and in {division} of the division that came with the data: "
                "it leaks, use DatasetSettings.division=made"
            )
    if "val" in divisions:
        return tuple(divisions), "train, validation and test are those that came with the data"
    origin = "train" if len({label for label, d in zip(labels, divisions, strict=True) if d == "train"}) > 1 else "test"
    share = val_share if origin == "train" else val_share / (val_share + test_share)
    drawn_from = [place for place, division in enumerate(divisions) if division == origin]
    classes_of = _classes_of([labels[place] for place in drawn_from], [groups[place] for place in drawn_from])
    counts = Counter(label for classes in classes_of.values() for label in classes)
    wanted = {label: _halves(count, round(share * count), "val", origin) for label, count in counts.items()}
    placed = _dealt(classes_of, wanted, (origin, "val"), rng=default_rng(SeedSequence(seed, spawn_key=(6,))))
    note = f"train and test are those that came with the data; validation is {share:.0%} of {origin}, drawn by part"
    return tuple(placed.get(group, division) for group, division in zip(groups, divisions, strict=True)), note


def random_split(count: int, *, val_share: float, test_share: float, seed: int) -> tuple[str, ...]:
    """A split by image that ignores parts: it leaks. For comparison with published figures only."""
    shares = _wanted(count, val_share, test_share)
    splits = np.repeat(np.array(SPLITS), [shares[name] for name in SPLITS])
    return tuple(str(name) for name in default_rng(SeedSequence(seed, spawn_key=(2,))).permutation(splits))


def check_splits(groups: Sequence[str], splits: Sequence[str], *, digests: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a part, or one and the same image, on two sides of the split.

    All arguments have one entry per image; `digests` identify image content. Raises RunError that names the pair.
    """
    for kind, keys in (("part", groups), ("image content", digests)):
        first: dict[str, int] = {}
        for place, key in enumerate(keys):
            other = first.setdefault(key, place)
            if splits[other] != splits[place]:
                raise RunError(
                    f"data: {kind} {key!r} is in {splits[other]} ({names[other]}) and in {splits[place]} "
                    f"({names[place]}): one {kind} must stay in one split; prepare the data again"
                )


def missing_classes(labels: Sequence[str], splits: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Splits in which a class has no image, for the classes where there are any."""
    present = set(zip(labels, splits, strict=True))
    gaps = {label: tuple(name for name in SPLITS if (label, name) not in present) for label in sorted(set(labels))}
    return {label: names for label, names in gaps.items() if names}


def choose_groups(labels: Sequence[str], groups: Sequence[str], *, limit: int, seed: int) -> frozenset[str]:
    """At most `limit` groups, the classes in proportion but at least three groups of each where the limit allows it."""
    class_of: dict[str, str] = {}
    for label, group in zip(labels, groups, strict=True):
        # A mixed group counts for its first defect class in the alphabet: sound images are plenty.
        class_of[group] = min(class_of.get(group, label), label, key=lambda c: (c == "good", c))
    totals = Counter(class_of.values())
    if limit < len(totals):
        raise InputError(f"data: expected limit_parts ≥ {len(totals)} (one part per class), found {limit}")
    names = list(class_of)
    order = [names[i] for i in default_rng(SeedSequence(seed, spawn_key=(3,))).permutation(len(names))]
    rank: Counter[str] = Counter()
    keys: dict[str, tuple[float, float, str]] = {}
    for group in order:
        label = class_of[group]
        keys[group] = (min(rank[label], PARTS_FOR_ALL_SPLITS), (rank[label] + 0.5) / totals[label], group)
        rank[label] += 1
    return frozenset(sorted(order, key=lambda group: keys[group])[:limit])


def _classes_of(labels: Sequence[str], groups: Sequence[str]) -> dict[str, set[str]]:
    """The classes of every group, in the order in which groups first occur."""
    classes: dict[str, set[str]] = {}
    for label, group in zip(labels, groups, strict=True):
        classes.setdefault(group, set()).add(label)
    return classes


def _dealt(
    classes_of: Mapping[str, set[str]], wanted: dict[str, dict[Side, int]], sides: Sequence[Side], *, rng: Generator
) -> dict[str, Side]:
    """A side for every group: rarest class first, each group where its class is most wanted. Uses `wanted` up."""
    names = list(classes_of)
    order = [names[i] for i in rng.permutation(len(names))]
    counts = Counter(label for classes in classes_of.values() for label in classes)
    placed: dict[str, Side] = {}
    for label in sorted(counts, key=lambda c: (counts[c], c)):
        for group in order:
            if group in placed or label not in classes_of[group]:
                continue
            others = classes_of[group] - {label}
            # What the other classes of a mixed part still want decides between equals.
            side = max(sides, key=lambda s: (wanted[label][s], sum(wanted[other][s] for other in others)))
            placed[group] = side
            for member in classes_of[group]:
                wanted[member][side] -= 1
    return placed


def _halves(count: int, drawn: int, taker: str, giver: str = "train") -> dict[str, int]:
    """`drawn` of `count` groups for one side, at least one, and at least one left for the other; a single one stays."""
    drawn = min(max(drawn, 1), count - 1)
    return {giver: count - drawn, taker: drawn}


def _wanted(count: int, val_share: float, test_share: float) -> dict[str, int]:
    if count < PARTS_FOR_ALL_SPLITS:
        return {"train": 1 if count else 0, "val": 0, "test": count - 1 if count else 0}
    val, test = max(1, round(val_share * count)), max(1, round(test_share * count))
    while val + test >= count:
        val, test = (val - 1, test) if val >= test else (val, test - 1)
    return {"train": count - val - test, "val": val, "test": test}
