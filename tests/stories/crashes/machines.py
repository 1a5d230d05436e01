"""Another machine: nothing of the first one is there but the credentials, and its processes are not to be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from tests.stories.operators import Operator

OUT_OF_SIGHT = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")
SETTINGS = """
cloud = "shared"
server.image = "Local Linux"
server.flavor = "general1-1"
server.ssh_port = 2222
listeners = [{ name = "http", port = 8080 }, { name = "https", port = 8443 }]
limits = { build = 60, ssh = 30, drain = 10, wait = 90 }
"""


def another_machine(operator: Operator, cloud: Path) -> Operator:
    """Give somebody who deploys the same from there.

    They have a state folder and a deploy key of their own, so that they can log in to no server that is there.

    :param cloud: the clouds.yaml of the cloud.
    """
    folder = operator.folder / "another-machine"
    folder.mkdir(exist_ok=True)
    clouds = folder / "clouds.yaml"
    clouds.write_text(yaml.safe_dump({"clouds": {"shared": yaml.safe_load(cloud.read_text())["clouds"]["local"]}}))
    prefix = (*OUT_OF_SIGHT, "env", f"OS_CLIENT_CONFIG_FILE={clouds}")
    there = replace(operator, folder=folder, caches=folder / "caches", prefix=prefix)
    return there.with_settings(SETTINGS + operator.settings.read_text(), name=operator.settings.stem)
