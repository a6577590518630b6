"""Where a user's data lies, for the checkout itself and for the copies of it that experiments work in.

`dvc exp run --temp` and `--queue` work in a copy that holds what git tracks: data below data/source, which git ignores,
and data outside are found only from the main checkout. DVC reaches them by a remote called `checkout`, whose address
is the main checkout: dependencies are recorded as remote://checkout/data/source/…, the same on every machine.
"""

from pathlib import Path, PurePosixPath

REMOTE = "remote://checkout/"
LOCAL_CONFIG = Path(".dvc/config.local")
ENTRY = "['remote \"checkout\"']\n    url = ..\n"


def dependency(source: str) -> str:
    """A source as a dependency of dvc.yaml: by the remote where a copy of the checkout does not have it.

    >>> dependency("data/source/tiles")
    'remote://checkout/data/source/tiles'
    """
    path = PurePosixPath(source)
    elsewhere = path.parts[:1] == ("..",) or path.parts[:2] == ("data", "source")
    return f"{REMOTE}{path}" if elsewhere else source


def located(dep: str, *, root: Path, main: Path) -> Path:
    """Where a dependency lies, for a stage that runs at `root`, a copy of `main` or `main` itself."""
    return main / dep.removeprefix(REMOTE) if dep.startswith(REMOTE) else root / dep


def provide_remote(main: Path) -> None:
    """Let copies of the checkout `main` inherit its address: DVC hands on .dvc/config.local, made absolute."""
    path = main / LOCAL_CONFIG
    known = path.read_text(encoding="utf-8") if path.is_file() else ""
    if path.parent.is_dir() and 'remote "checkout"' not in known:
        path.write_text(f"{known}{ENTRY}", encoding="utf-8")
