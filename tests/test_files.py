"""Files appear whole or not at all."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from twinloop.files import atomic, fingerprint, read_json, sha256, write_json


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    write_json(target, {"ap": 0.9})
    with pytest.raises(RuntimeError, match="half way"), atomic(target) as temporary:
        temporary.write_text('{"ap": 0.', encoding="utf-8")
        raise RuntimeError("half way")
    assert read_json(target) == {"ap": 0.9}
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


def test_nan_never_reaches_a_metrics_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "metrics.json", {"ap": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_fingerprint_does_not_depend_on_key_order() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_full_disk_is_one_line_and_leaves_no_partial_output(tmp_path: Path) -> None:
    code = (
        "import sys; from twinloop import cli; from twinloop.files import write_json\n"
        f"cli._dispatch = lambda given: write_json({str(tmp_path / 'big.json')!r}, list(range(100000)))\n"
        "sys.exit(cli.main(['doctor']))"
    )

    def limit() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=limit, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("disk: no space left")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_json_keeps_the_order_of_headline_figures(tmp_path: Path) -> None:
    write_json(tmp_path / "m.json", {"z": 1, "a": 2})
    assert list(json.loads((tmp_path / "m.json").read_text())) == ["z", "a"]
