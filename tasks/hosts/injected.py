"""What a server is given before it boots, to set itself up: user data, or the files of the 2011 way by cron. Pure.

Both carry the machine scripts, packed. Neither knows a release, an environment or a secret: a cloud keeps what it is
given here, and the server can read it for life.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from tasks.errors import SettingsError
from tasks.hosts.push import SCRIPTS, add_scripts, files_below, is_machine_script, script_names

LONGEST_USER_DATA = 65_535
"""Characters of the encoded text (compute api-ref, create server)."""
STATE_FOLDER = "/var/lib/disposable-servers"
_TEMPLATES = "injected"
_ON_REQUEST = "on_request"
_LINE = 76


class Bootstrap(StrEnum):
    """How the machine scripts get to a server and are run there."""

    PUSH = "push"
    CLOUD_INIT = "cloud-init"
    CRON = "cron"


def stage1(scripts: Path) -> str:
    """Give the program that sets a machine up at its first boot: the machine scripts, and what runs them."""
    packed = base64.b64encode(_archive(scripts)).decode()
    lines = "\n".join(packed[start : start + _LINE] for start in range(0, len(packed), _LINE))
    return _template(scripts, "stage1").replace("@ARCHIVE@", lines)


def run_at_first_boot(scripts: Path) -> dict[str, object]:
    """Give the parts of a `#cloud-config` that run stage1 at the end of the first boot (cloud-init docs, modules)."""
    program = f"{STATE_FOLDER}/stage1"
    return {
        "write_files": [{"path": program, "permissions": "0700", "content": stage1(scripts)}],
        "runcmd": [[program]],
    }


def user_data(parts: Mapping[str, object]) -> str:
    """Give a `#cloud-config` of these parts; nothing for none.

    JSON, which is YAML as well: no text in it can be taken for YAML's syntax.

    :raises SettingsError: it is longer than Nova takes.
    """
    if not parts:
        return ""
    text = f"#cloud-config\n{json.dumps(parts, ensure_ascii=False)}\n"
    length = len(base64.b64encode(text.encode()))
    if length > LONGEST_USER_DATA:
        raise SettingsError(
            f"the user data for new servers, with the machine scripts in it, has {length} characters once encoded, and "
            f"{LONGEST_USER_DATA} is the most that Nova takes",
            advice="Let the bootstrap scripts fetch what is large, or set bootstrap = push.",
        )
    return text


def personality(scripts: Path) -> dict[str, bytes]:
    """Give the files to be injected, by path: the starter for cron, stage1, and the rc.local of all later boots."""
    return {
        "/etc/cron.d/initialrunner": _template(scripts, "initialrunner").encode(),
        "/etc/rc.local.stage1": stage1(scripts).encode(),
        "/etc/rc.local": _template(scripts, "rc.local").encode(),
    }


def _archive(scripts: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as stream:
        add_scripts(stream, scripts, _for_machines(scripts))
    return gzip.compress(packed.getvalue(), mtime=0)


def _for_machines(scripts: Path) -> list[Path]:
    """List what machine scripts may need: no release scripts, nor any on request, no templates, nothing for people."""
    left_out = {scripts / name for name in script_names(scripts) if not is_machine_script(name)}
    others = {scripts / _TEMPLATES, scripts / _ON_REQUEST}
    return [
        path
        for path in files_below(scripts)
        if path not in left_out and others.isdisjoint(path.parents) and path.suffix != ".md"
    ]


def _template(scripts: Path, name: str) -> str:
    try:
        return (scripts / _TEMPLATES / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SettingsError(
            f"there is no {SCRIPTS}/{_TEMPLATES}/{name} in {scripts}",
            advice="Setting up by cloud-init or cron needs it: copy it from the project's own folder.",
        ) from error
