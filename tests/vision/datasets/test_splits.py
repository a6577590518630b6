"""Splits by part: nothing leaks, every class is everywhere, and a leak is refused."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError, RunError
from twinloop.vision.datasets.splits import (
    check_splits,
    choose_groups,
    given_split,
    group_split,
    kfold,
    missing_classes,
    random_split,
)
from twinloop.vision.index import SPLITS

PARTS = st.lists(
    st.tuples(st.sampled_from(["good", "crack", "pit"]), st.integers(1, 6)), min_size=1, max_size=60
)  # class of a part, its exposures


def images(parts: list[tuple[str, int]]) -> tuple[list[str], list[str]]:
    labels = [label for label, exposures in parts for _ in range(exposures)]
    groups = [f"part {number}" for number, (_, exposures) in enumerate(parts) for _ in range(exposures)]
    return labels, groups


@given(parts=PARTS, seed=st.integers(0, 1000), val=st.floats(0.05, 0.4), test=st.floats(0.05, 0.5))
def test_no_part_is_divided_and_every_class_of_three_parts_is_everywhere(
    parts: list[tuple[str, int]], seed: int, val: float, test: float
) -> None:
    labels, groups = images(parts)
    splits = group_split(labels, groups, val_share=val, test_share=test, seed=seed)
    sides = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        sides[group].add(split)
    assert all(len(found) == 1 for found in sides.values())
    gaps = missing_classes(labels, splits)
    for label, count in Counter(label for label, _ in parts).items():
        assert (label in gaps) == (count < 3)


@given(labels=st.lists(st.sets(st.sampled_from("abcd"), min_size=1, max_size=3), min_size=1, max_size=30))
def test_parts_of_several_classes_stay_whole(labels: list[set[str]]) -> None:
    flat = [(label, f"part {number}") for number, classes in enumerate(labels) for label in sorted(classes)]
    splits = group_split(*map(list, zip(*flat, strict=True)), val_share=0.2, test_share=0.3, seed=1)
    check_splits([g for _, g in flat], splits, digests=[str(i) for i in range(len(flat))], names=[g for _, g in flat])


def test_shares_are_met_for_every_class() -> None:
    labels, groups = images([("good", 2)] * 400 + [("crack", 2)] * 80)
    splits = group_split(labels, groups, val_share=0.15, test_share=0.25, seed=9)
    assert Counter(zip(labels, splits, strict=True)) == {
        ("good", "train"): 480, ("good", "val"): 120, ("good", "test"): 200,
        ("crack", "train"): 96, ("crack", "val"): 24, ("crack", "test"): 40,
    }  # fmt: skip


def test_a_seed_fixes_the_split_and_another_changes_it() -> None:
    labels, groups = images([("good", 2)] * 40 + [("crack", 2)] * 20)
    first, again, other = (group_split(labels, groups, val_share=0.2, test_share=0.2, seed=s) for s in (1, 1, 2))
    assert first == again != other


def test_two_parts_go_to_train_and_test_and_a_single_one_to_train() -> None:
    labels, groups = images([("good", 1)] * 10 + [("crack", 1)] * 2 + [("pit", 1)])
    gaps = missing_classes(labels, group_split(labels, groups, val_share=0.2, test_share=0.2, seed=1))
    assert gaps == {"crack": ("val",), "pit": ("val", "test")}


def test_a_part_on_two_sides_is_refused() -> None:
    with pytest.raises(RunError, match=r"part 'a' is in train \(1\.png\) and in test \(3\.png\)"):
        check_splits(
            ["a", "b", "a"], ["train", "val", "test"], digests=["1", "2", "3"], names=["1.png", "2.png", "3.png"]
        )


def test_one_image_on_two_sides_is_refused() -> None:
    with pytest.raises(RunError, match="image content '7' is in train"):
        check_splits(["a", "b"], ["train", "test"], digests=["7", "7"], names=["1.png", "2.png"])


def test_the_random_split_leaks_parts_and_the_check_says_so() -> None:
    groups = [f"part {i // 6}" for i in range(120)]
    splits = random_split(120, val_share=0.2, test_share=0.3, seed=1)
    assert Counter(splits) == {"train": 60, "val": 24, "test": 36}
    with pytest.raises(RunError, match="must stay in one split"):
        check_splits(groups, splits, digests=[str(i) for i in range(120)], names=groups)


def test_a_limit_keeps_classes_in_proportion_and_rare_ones_alive() -> None:
    labels, groups = images([("good", 2)] * 90 + [("crack", 2)] * 10 + [("pit", 1)] * 3)
    chosen = choose_groups(labels, groups, limit=40, seed=4)
    kept = Counter({group: label for label, group in zip(labels, groups, strict=True) if group in chosen}.values())
    assert len(chosen) == 40
    assert kept["pit"] == 3
    assert kept["crack"] in (3, 4, 5)


def test_a_limit_below_the_number_of_classes_is_refused() -> None:
    with pytest.raises(InputError, match="limit_parts ≥ 2"):
        choose_groups(["good", "pit"], ["a", "b"], limit=1, seed=1)


def test_splits_are_named_as_the_index_names_them() -> None:
    assert set(random_split(30, val_share=0.3, test_share=0.3, seed=1)) == set(SPLITS)


@given(parts=PARTS, folds=st.integers(2, 7), seed=st.integers(0, 1000), val=st.floats(0.05, 0.4))
def test_every_part_is_tested_in_exactly_one_fold_and_never_divided(
    parts: list[tuple[str, int]], folds: int, seed: int, val: float
) -> None:
    labels, groups = images(parts)
    if folds > len(parts):
        possible = f"from 2 to {len(parts)} folds .* found {folds}" if len(parts) > 1 else "2 or more independent parts"
        with pytest.raises(InputError, match=f"expected {possible}"):
            kfold(labels, groups, folds=folds, val_share=val, seed=seed)
        return
    splits = kfold(labels, groups, folds=folds, val_share=val, seed=seed)
    assert len(splits) == folds
    tested = Counter(
        group for fold in splits for group in {g for g, s in zip(groups, fold, strict=True) if s == "test"}
    )
    assert set(tested.values()) == {1}
    assert set(tested) == set(groups)
    for fold in splits:
        assert len(set(zip(groups, fold, strict=True))) == len(set(groups))
        rest = Counter(
            label for (label, _), split in zip(parts, parts_of(fold, groups), strict=True) if split != "test"
        )
        gaps = missing_classes(labels, fold)
        for label, count in rest.items():
            assert "train" not in gaps.get(label, ())
            assert ("val" in gaps.get(label, ())) == (count < 2)


def parts_of(splits: tuple[str, ...], groups: list[str]) -> list[str]:
    """The split of every part, in the order of the parts."""
    return list(dict(zip(groups, splits, strict=True)).values())


@given(parts=PARTS, folds=st.integers(2, 5), seed=st.integers(0, 50))
def test_folds_hold_every_class_in_equal_numbers(parts: list[tuple[str, int]], folds: int, seed: int) -> None:
    labels, groups = images(parts)
    if folds > len(parts):
        return
    splits = kfold(labels, groups, folds=folds, val_share=0.2, seed=seed)
    sizes = []
    for label in {label for label, _ in parts}:
        counts = [
            sum(s == "test" and own == label for s, (own, _) in zip(parts_of(fold, groups), parts, strict=True))
            for fold in splits
        ]
        assert max(counts) - min(counts) <= 1
        sizes.append(counts)
    totals = [sum(counts) for counts in zip(*sizes, strict=True)]
    assert max(totals) - min(totals) <= 1


def test_folds_of_ten_parts_are_these() -> None:
    labels, groups = images([("good", 2)] * 6 + [("crack", 1)] * 4)
    splits = kfold(labels, groups, folds=2, val_share=0.25, seed=3)
    assert splits == kfold(labels, groups, folds=2, val_share=0.25, seed=3)
    assert splits != kfold(labels, groups, folds=2, val_share=0.25, seed=4)
    for fold in splits:
        assert Counter(zip(labels, fold, strict=True)) == {
            ("good", "train"): 2, ("good", "val"): 4, ("good", "test"): 6,
            ("crack", "train"): 1, ("crack", "val"): 1, ("crack", "test"): 2,
        }  # fmt: skip


def divided(labels: list[str], groups: list[str], divisions: list[str]) -> tuple[tuple[str, ...], str]:
    return given_split(labels, groups, divisions, val_share=0.2, test_share=0.3, seed=1)


def test_validation_comes_out_of_train_where_train_has_defects() -> None:
    labels, groups = images([("good", 2)] * 20 + [("crack", 2)] * 10 + [("good", 2)] * 5 + [("crack", 2)] * 5)
    divisions = ["train"] * 60 + ["test"] * 20
    splits, note = divided(labels, groups, divisions)
    assert splits[60:] == ("test",) * 20
    assert Counter(zip(labels[:60], splits[:60], strict=True)) == {
        ("good", "train"): 32, ("good", "val"): 8, ("crack", "train"): 16, ("crack", "val"): 4
    }  # fmt: skip
    assert note.endswith("validation is 20% of train, drawn by part")


def test_validation_comes_out_of_test_where_train_is_all_good() -> None:
    labels, groups = images([("good", 1)] * 30 + [("good", 1)] * 10 + [("crack", 1)] * 10)
    splits, note = divided(labels, groups, ["train"] * 30 + ["test"] * 20)
    assert splits[:30] == ("train",) * 30
    assert Counter(zip(labels[30:], splits[30:], strict=True)) == {
        ("good", "test"): 6, ("good", "val"): 4, ("crack", "test"): 6, ("crack", "val"): 4
    }  # fmt: skip
    assert note.endswith("validation is 40% of test, drawn by part")


def test_a_validation_set_that_came_is_kept_and_serves_as_test_where_there_is_none() -> None:
    labels, groups = images([("good", 1), ("crack", 1)] * 6)
    three = ["train", "train", "val", "val", "test", "test"] * 2
    assert divided(labels, groups, three)[0] == tuple(three)
    splits, _ = divided(labels, groups, ["train"] * 8 + ["val"] * 4)
    assert splits[8:] == ("test",) * 4
    assert set(splits[:8]) == {"train", "val"}


@pytest.mark.parametrize("divisions", [["", ""], ["train", "train"], ["train", ""], ["test", "val"]])
def test_data_that_came_undivided_is_refused(divisions: list[str]) -> None:
    with pytest.raises(InputError, match="came undivided, use DatasetSettings.division=made"):
        divided(["good", "crack"], ["a", "b"], divisions)


def test_a_division_that_leaks_is_refused() -> None:
    with pytest.raises(InputError, match="part 'a' is in train and in test of the division that came .*it leaks"):
        divided(["good", "crack", "good"], ["a", "b", "a"], ["train", "test", "test"])


def drawn(text: str) -> tuple[str, ...]:
    """A split written as a letter per image: T is train, v is val, t is test."""
    return tuple({"T": "train", "v": "val", "t": "test"}[letter] for letter in text)


def test_a_seed_gives_the_splits_that_it_always_gave() -> None:
    """A split that moves makes every figure measured on it incomparable, so these are held for good."""
    labels, groups = images([("good", 1)] * 12 + [("crack", 1)] * 6 + [("pit", 1)] * 2)
    assert group_split(labels, groups, val_share=0.2, test_share=0.3, seed=7) == drawn("vtTTtTTTvttTTvTtTttT")
    assert kfold(labels, groups, folds=3, val_share=0.2, seed=7) == (
        drawn("TttttTvvTTTTTtvTTttT"),
        drawn("tTTvvTTTtTttTTvttTTt"),
        drawn("TTTTvtttTtvTtTtTTvTv"),
    )
    came = ["train"] * 10 + ["test"] * 2 + ["train"] * 4 + ["test"] * 2 + ["train", "test"]
    splits, _ = given_split(labels, groups, came, val_share=0.2, test_share=0.3, seed=7)
    assert splits == drawn("TTTTTvTTvTttvTTTttTt")
    assert random_split(20, val_share=0.2, test_share=0.3, seed=7) == drawn("TTvtvTTTtttTTvtTTvtT")
    chosen = choose_groups(labels, groups, limit=9, seed=7)
    assert chosen == {f"part {number}" for number in (1, 4, 8, 11, 13, 16, 17, 18, 19)}


@pytest.mark.parametrize(
    ("count", "val", "test", "sizes"),
    [
        (0, 0.2, 0.3, (0, 0, 0)),
        (1, 0.2, 0.3, (1, 0, 0)),
        (2, 0.2, 0.3, (1, 0, 1)),
        (3, 0.2, 0.3, (1, 1, 1)),
        (3, 0.4, 0.5, (1, 1, 1)),
        (4, 0.5, 0.5, (1, 1, 2)),  # of equal halves, test keeps its own
        (4, 0.25, 0.5, (1, 1, 2)),
        (5, 0.8, 0.4, (1, 2, 2)),
        (5, 0.4, 0.8, (1, 2, 2)),
        (20, 0.01, 0.01, (18, 1, 1)),
        (20, 0.15, 0.25, (12, 3, 5)),
    ],
)
def test_train_keeps_at_least_one_and_val_and_test_get_one_where_there_are_three(
    count: int, val: float, test: float, sizes: tuple[int, int, int]
) -> None:
    splits = random_split(count, val_share=val, test_share=test, seed=1)
    assert (splits.count("train"), splits.count("val"), splits.count("test")) == sizes


@pytest.mark.parametrize(("share", "vals"), [(0.05, 1), (0.4, 2), (0.99, 4)])
def test_validation_takes_at_least_one_part_of_a_class_and_leaves_one(share: float, vals: int) -> None:
    labels, groups = images([("good", 1)] * 5 + [("pit", 1)] + [("good", 1)] * 2)
    splits, note = given_split(labels, groups, ["train"] * 6 + ["test"] * 2, val_share=share, test_share=0.3, seed=1)
    assert Counter(splits[:5]) == {"train": 5 - vals, "val": vals}
    assert splits[5:] == ("train", "test", "test")  # a single part stays
    assert note == (
        f"train and test are those that came with the data; validation is {share:.0%} of train, drawn by part"
    )


def test_validation_that_is_drawn_keeps_parts_whole() -> None:
    labels, groups = images([("good", 3)] * 6 + [("crack", 3)] * 4)
    splits, _ = divided(labels, groups, ["train"] * 24 + ["test"] * 6)
    for part in range(8):
        assert len(set(splits[3 * part : 3 * part + 3])) == 1


def test_three_sets_that_came_are_said_to_have_come() -> None:
    labels, groups = images([("good", 1)] * 3)
    _, note = divided(labels, groups, ["train", "val", "test"])
    assert note == "train, validation and test are those that came with the data"


def test_undivided_images_are_counted() -> None:
    for divisions, message in [
        (["train", "test", ""], "1 of 3 are in neither"),
        (["train", "", ""], "2 of 3 are in neither"),
        (["train", "train", "train"], "0 of 3 are in neither"),
    ]:
        with pytest.raises(InputError, match=f"expected images in train and test, {message}"):
            divided(["good", "good", "crack"], ["a", "b", "c"], divisions)


def test_a_part_of_several_classes_goes_where_its_other_classes_are_wanted() -> None:
    # Ten parts show a crack, four of them a pit too. Cracks alone cannot tell; every side shall have pits.
    flat = [("crack", f"part {part}") for part in range(12)] + [("pit", f"part {part}") for part in range(0, 12, 3)]
    labels, groups = map(list, zip(*flat, strict=True))
    for seed in range(10):
        splits = group_split(labels, groups, val_share=0.25, test_share=0.25, seed=seed)
        assert Counter(zip(labels, splits, strict=True)) == {
            ("crack", "train"): 6, ("crack", "val"): 3, ("crack", "test"): 3,
            ("pit", "train"): 2, ("pit", "val"): 1, ("pit", "test"): 1,
        }  # fmt: skip


def test_a_limit_keeps_the_shares_of_classes_to_the_part() -> None:
    labels, groups = images([("good", 1)] * 40 + [("crack", 1)] * 10)
    for limit in (15, 20, 25, 30, 50):
        chosen = choose_groups(labels, groups, limit=limit, seed=2)
        assert sum(int(group.split()[1]) < 40 for group in chosen) == 4 * limit // 5


@pytest.mark.parametrize("seed", range(5))
def test_a_limit_of_one_part_per_class_takes_one_of_each(seed: int) -> None:
    labels, groups = images([("good", 2)] * 9 + [("crack", 2)] * 5 + [("pit", 1)] * 3)
    for limit, sizes in [(3, (1, 1, 1)), (6, (2, 2, 2)), (9, (3, 3, 3)), (17, (9, 5, 3)), (99, (9, 5, 3))]:
        chosen = choose_groups(labels, groups, limit=limit, seed=seed)
        kept = Counter({group: label for label, group in zip(labels, groups, strict=True) if group in chosen}.values())
        assert (kept["good"], kept["crack"], kept["pit"]) == sizes


def test_a_part_with_a_defect_counts_for_its_defect() -> None:
    labels = ["good", "pit", "crack", "good", "good", "good"]
    groups = ["a", "a", "a", "b", "c", "d"]
    for seed in range(10):
        assert "a" in choose_groups(labels, groups, limit=2, seed=seed)
    with pytest.raises(InputError, match=r"limit_parts ≥ 2 \(one part per class\), found 1"):
        choose_groups(labels, groups, limit=1, seed=1)


def test_as_many_folds_as_parts_leave_one_out() -> None:
    labels, groups = images([("good", 2)] * 4)
    splits = kfold(labels, groups, folds=4, val_share=0.3, seed=1)
    assert sorted(place for fold in splits for place, split in enumerate(fold) if split == "test") == list(range(8))
    for folds in (1, 5):
        with pytest.raises(InputError, match=f"expected from 2 to 4 folds .independent parts., found {folds}"):
            kfold(labels, groups, folds=folds, val_share=0.3, seed=1)


def test_a_class_that_a_split_lacks_is_named_and_no_other() -> None:
    assert missing_classes(["good", "good", "good", "pit"], ["train", "val", "test", "test"]) == {
        "pit": ("train", "val")
    }
    assert missing_classes(["good"] * 3, ["train", "val", "test"]) == {}


def test_lists_that_do_not_belong_together_are_refused() -> None:
    two, one = ["good", "crack"], ["a"]
    with pytest.raises(ValueError, match="shorter|longer"):
        group_split(two, one, val_share=0.2, test_share=0.2, seed=1)
    with pytest.raises(ValueError, match="shorter|longer"):
        choose_groups(two, one, limit=2, seed=1)
    with pytest.raises(ValueError, match="shorter|longer"):
        missing_classes(two, ["train"])
    with pytest.raises(ValueError, match="shorter|longer"):
        divided(two, one, ["train", "test"])
