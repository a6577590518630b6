"""What conf/config.yaml asks of its composition, ours and DVC's: digests of what was composed, and no secrets.

DVC composes the configuration by itself in `dvc exp run`; it imports what it finds below `hydra.plugins_path` (see
.dvc/config), and importing this module registers the resolvers for the checkout it lies in:

- `${conf_digest:}`: the digest of conf/; editing conf/ without composing is noticed by it.
- `${values_digest:}`: the digest of all composed values; a value edited by hand in params.yaml is noticed by it.
- `${dependency:PATH}`: a user's data as DVC finds it from copies of the checkout too.
- `${oc.env:…}` refuses: what it reads would stand in params.yaml, in git and in every run.
"""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from twinloop.config.digest import VALUES, conf_digest, edited_by_hand, values_digest
from twinloop.config.sources import REMOTE, dependency, provide_remote
from twinloop.errors import InputError

CONF = Path(__file__).resolve().parents[4] / "conf"


def register(conf: Path, *, guarded: Path | None = None) -> None:
    """Let the resolvers stand for the folder `conf`.

    guarded: a params.yaml that the composition will overwrite; it is refused where it holds edits made by hand.
    """

    def digest(*, _root_: DictConfig) -> str:
        if guarded is not None and edited_by_hand(guarded):
            raise InputError(
                "conf: params.yaml was edited by hand, and this would compose over it: keep the edit as a choice "
                "(python -m twinloop conf path=value), or drop it (python -m twinloop conf --force)"
            )
        whole = OmegaConf.to_container(_root_, resolve=False)
        assert isinstance(whole, dict)
        bare = OmegaConf.create({key: value for key, value in whole.items() if key not in (VALUES, "hydra")})
        values: Any = OmegaConf.to_container(bare, resolve=True)
        return values_digest(values)

    OmegaConf.register_new_resolver("conf_digest", lambda: conf_digest(conf), replace=True)
    OmegaConf.register_new_resolver("values_digest", digest, replace=True)
    OmegaConf.register_new_resolver("dependency", lambda source: _dependency(source, conf.parent), replace=True)
    for name in ("oc.env", "env"):
        OmegaConf.register_new_resolver(name, _refuse, replace=True)


def _dependency(source: str, main: Path) -> str:
    dep = dependency(str(source))
    if dep.startswith(REMOTE):
        provide_remote(main)
    return dep


def _refuse(name: str, *_: Any) -> str:
    raise InputError(f"conf: ${{oc.env:{name}}} would stand in params.yaml in clear: give the value itself")


register(CONF, guarded=CONF.parent / "params.yaml")
