"""Makes `${conf_digest:}` resolvable in conf/config.yaml.

DVC composes the configuration by itself in `dvc exp run`; it imports what it finds below
`hydra.plugins_path` (see .dvc/config), and importing this module registers the resolver. The
digest is that of the checkout this file lies in.
"""

from pathlib import Path

from omegaconf import OmegaConf

from twinloop.config.digest import conf_digest

CONF = Path(__file__).resolve().parents[4] / "conf"


def register(conf: Path) -> None:
    """Let `${conf_digest:}` stand for the digest of the folder `conf`."""
    OmegaConf.register_new_resolver("conf_digest", lambda: conf_digest(conf), replace=True)


register(CONF)
