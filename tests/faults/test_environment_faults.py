"""Faults of the machine around the project: pipes, encodings, disks, ports, git, DVC's and MLflow's own files."""

import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import environment, run_in
from twinloop import cli
from twinloop.errors import InputError, RunError
from twinloop.tracking.store import FILE, FOLDER, open_store

TWINLOOP = ("python", "-m", "twinloop")


@pytest.fixture(scope="module")
def clone(fresh_clone: Callable[[], Path]) -> Path:
    """A clone in which nothing has run yet."""
    return fresh_clone()


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["doctor", "--help", "conf --help", "conf --check 2>&1; false 2>&1"])
def test_a_reader_that_goes_away_gets_no_traceback(command: str, clone: Path) -> None:
    piped = f"set -o pipefail; (sleep 0.1; python -m twinloop {command}) | true"
    done = run_in(clone, "bash", "-c", piped, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_that_is_not_utf_8_gets_escapes(encoding: str, clone: Path) -> None:
    done = subprocess.run(
        [*TWINLOOP, "doctor"],
        cwd=clone,
        env=environment(clone) | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"\\u2713 python" in done.stdout


@pytest.fixture
def small(tmp_path: Path, clone: Path) -> Iterator[Callable[[str], Path]]:
    """The clone on a file system of its own, mounted with the options given."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    shutil.copytree(clone, place / "twinloop", symlinks=True)

    def remount(options: str) -> Path:
        subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)
        return place / "twinloop"

    try:
        yield remount
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    "arguments", [["conf", "profile=smoke"], ["repro"], ["factory", "prepare"], ["ui", "--port", "5999"]]
)
def test_a_read_only_checkout_is_one_line(arguments: list[str], small: Callable[[str], Path]) -> None:
    line = only_line(run_in(small("ro"), *TWINLOOP, *arguments, check=False, PYTHONDONTWRITEBYTECODE="1"))
    assert "read-only file system" in line.lower()
    assert "Traceback" not in line


def test_a_disk_that_is_full_in_conf_is_one_line_and_leaves_params_alone(small: Callable[[str], Path]) -> None:
    root = small("size=64m")
    before = (root / "params.yaml").read_bytes()
    with (root.parent / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space left"):
        while True:
            filler.write(bytes(4096))
    done = run_in(root, *TWINLOOP, "conf", "profile=smoke", check=False, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 1
    assert only_line(done).startswith("disk: no space left while writing ")
    assert "params.yaml" in only_line(done)
    assert (root / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("tool", ["ui", "serve"])
@pytest.mark.parametrize("port", ["99999999", "0", "-3", "65536"])
def test_a_number_that_is_no_port_is_refused(
    tool: str, port: str, clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(clone)
    assert cli.main([tool, "--port", port]) == 2
    assert capsys.readouterr() == ("", f"{tool}: --port {port}: expected 1 … 65535\n")


@pytest.mark.parametrize("tool", ["ui", "serve"])
def test_a_port_that_is_taken_is_told_before_anything_starts(tool: str, clone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_in(clone, *TWINLOOP, tool, "--port", str(port), check=False)
    assert done.returncode == 2
    assert only_line(done) == f"{tool}: port {port} is taken: choose another one with --port"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:99999999", "http://127.0.0.1:abc", "http://[::1"])
def test_an_address_with_a_port_that_is_none_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI: expected http://HOST:PORT"):
        open_store(uri, tmp_path)


def damaged(whole: bytes, how: str) -> bytes:
    """A store's file with a part overwritten, cut off or gone."""
    return {
        "head": b"\xaa" * 100 + whole[100:],
        "tables": whole[:4096] + b"\xaa" * 12288 + whole[16384:],
        "cut off": whole[: len(whole) // 3],
        "empty": b"",
    }[how]


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, closed."""
    root = tmp_path_factory.mktemp("whole")
    open_store(None, root)
    with closing(sqlite3.connect(root / FOLDER / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return root


@pytest.mark.parametrize("how", ["head", "tables", "cut off", "empty"])
def test_a_damaged_store_is_told_at_once_and_moving_it_away_helps(how: str, whole_store: Path, tmp_path: Path) -> None:
    shutil.copytree(whole_store / FOLDER, tmp_path / FOLDER)
    database = tmp_path / FOLDER / FILE
    database.write_bytes(damaged(database.read_bytes(), how))
    begin = time.monotonic()
    with pytest.raises(InputError, match="is not an MLflow store, or a damaged one .*: move it away") as caught:
        open_store(None, tmp_path)
    assert time.monotonic() - begin < 5
    assert "\n" not in str(caught.value)
    database.rename(tmp_path / "away.db")
    assert open_store(None, tmp_path).experiment("factory")


def test_a_store_that_another_program_locks_is_not_called_damaged(whole_store: Path, tmp_path: Path) -> None:
    shutil.copytree(whole_store / FOLDER, tmp_path / FOLDER)
    with closing(sqlite3.connect(tmp_path / FOLDER / FILE)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RunError, match="is locked by another program: close that"):
            open_store(None, tmp_path)


@pytest.mark.parametrize("content", ["{", '{"read": 3}'])
def test_a_malformed_lock_of_dvc_is_named_and_its_remedy_works(content: str, clone: Path) -> None:
    lock = clone / ".dvc/tmp/rwlock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text(content)
    done = run_in(clone, *TWINLOOP, "repro", check=False)
    assert done.returncode == 1
    line = only_line(done)
    assert line == "repro: .dvc/tmp/rwlock: cannot be read: if nothing else runs here, `rm .dvc/tmp/rwlock`"
    run_in(clone, "bash", "-c", line.split("`")[1])
    run_in(clone, "dvc", "repro", "conf")


def test_a_zip_download_without_git_is_told_and_its_remedy_works(clone: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "twinloop-main"
    shutil.copytree(clone, unpacked, ignore=shutil.ignore_patterns(".git", "tmp"))
    own = {"GIT_CEILING_DIRECTORIES": str(tmp_path)}
    done = run_in(unpacked, *TWINLOOP, "repro", check=False, **own)
    assert done.returncode == 2
    line = only_line(done)
    assert "is no git repository (a ZIP download is none): clone the project, or `git init" in line
    identity = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    run_in(unpacked, "bash", "-c", line.split("`")[1], **own, **identity)
    run_in(unpacked, "dvc", "repro", "conf", **own)


def test_a_virtual_environment_that_is_a_link_is_no_change_to_git(clone: Path, tmp_path: Path) -> None:
    (clone / ".venv").symlink_to(tmp_path)
    try:
        assert ".venv" not in run_in(clone, "git", "status", "--short").stdout
    finally:
        (clone / ".venv").unlink()
