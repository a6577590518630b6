"""Train, validation and test sets that share no part.

Stratified by class over independent parts (Sechidis et al. 2011: rarest class first, each part goes
where its class is most wanted), because a split by image puts exposures of one part on both sides
and measures memory. `random_split` does just that, on purpose, to show the difference.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.random import SeedSequence, default_rng

from twinloop.errors import InputError, RunError
from twinloop.vision.index import SPLITS

# A class with fewer parts cannot be trained on, chosen by and tested on at once.
PARTS_FOR_ALL_SPLITS = 3


def group_split(
    labels: Sequence[str], groups: Sequence[str], *, val_share: float, test_share: float, seed: int
) -> tuple[str, ...]:
    """A split ("train", "val", "test") for every image, the same for all images of a group.

    labels, groups: N each. Shares are of groups, per class; a class of three or more groups gets at least one in every
    split, one of two groups goes to train and test, a single one to train.
    """
    classes_of: dict[str, set[str]] = {}
    for label, group in zip(labels, groups, strict=True):
        classes_of.setdefault(group, set()).add(label)
    names = list(classes_of)
    order = [names[i] for i in default_rng(SeedSequence(seed, spawn_key=(1,))).permutation(len(names))]
    counts = Counter(label for classes in classes_of.values() for label in classes)
    wanted = {label: _wanted(count, val_share, test_share) for label, count in counts.items()}
    placed: dict[str, str] = {}
    for label in sorted(counts, key=lambda c: (counts[c], c)):
        for group in order:
            if group in placed or label not in classes_of[group]:
                continue
            others = classes_of[group] - {label}
            split = max(
                SPLITS,
                # What the other classes of a mixed part still want decides between equals.
                key=lambda s: (wanted[label][s], sum(wanted[other][s] for other in others)),
            )
            placed[group] = split
            for member in classes_of[group]:
                wanted[member][split] -= 1
    return tuple(placed[group] for group in groups)


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


def _wanted(count: int, val_share: float, test_share: float) -> dict[str, int]:
    if count < PARTS_FOR_ALL_SPLITS:
        return {"train": 1 if count else 0, "val": 0, "test": count - 1 if count else 0}
    val, test = max(1, round(val_share * count)), max(1, round(test_share * count))
    while val + test >= count:
        val, test = (val - 1, test) if val >= test else (val, test - 1)
    return {"train": count - val - test, "val": val, "test": test}
