"""YAML is read as plain data; what else it can hold is refused in one line, at its place."""

from pathlib import Path

import pytest

from twinloop.config.reading import read_yaml
from twinloop.errors import InputError


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: {b: 2026-01-01}\n", r"params: a\.b: .* found a date: put it in quotes"),
        (b"a: !!binary /w==\n", r"params: a: .* found binary data"),
        (b"a: !!set {x, y}\n", r"params: a: .* found a set"),
        (b"a: &x {b: *x}\n", r"params: a\.b\.b: expected at most 60 levels, or no alias that contains itself"),
        (b"a: " + b"9" * 5000, r"params: expected YAML: "),
        (b"a: 99999999999999999999\n", r"params: a: expected an integer of at most 18 digits"),
        (b"a: {1: x}\n", r"params: a: expected a text as key, found int"),
        (b"a: {[1]: x}\n", r"params: expected YAML"),
        (b"a: 2026-13-45\n", r"params: expected YAML: month"),
        ("a: é\n".encode("latin-1"), r"params: expected UTF-8 text, found byte 0xe9"),
        ("a: b\n".encode("utf-16"), r"params: expected UTF-8 text"),
        (b"a: " + b"[" * 5000, r"params: expected YAML nested at most 60 deep"),
        (b"a: " + b"[" * 70 + b"]" * 70, r"params: a\.0\.0: expected at most 60 levels"),
        (b"a: !!python/name:os.system\n", r"params: expected YAML"),
        (b"a: {[\n", r"params: expected YAML"),
        (b"a: 1\nb: 2\na: 3\n", r"params: expected YAML: line 3: 'a' comes twice, first in line 1"),
        (b"x: {a: 1, a: 2}\n", r"params: expected YAML: line 1: 'a' comes twice, first in line 1"),
    ],
)
def test_what_is_no_plain_data_is_named_with_its_place(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_yaml(path, "params")


def test_a_key_that_is_merged_may_be_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\n")
    assert read_yaml(path, "params") == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}}


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 12)]
    (tmp_path / "params.yaml").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(InputError, match="aliases that repeat each other"):
        read_yaml(tmp_path / "params.yaml", "params")
