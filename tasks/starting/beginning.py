"""The verb of `fab init`: look at the app, ask what cannot be seen, write what is missing."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import SettingsError
from tasks.settings import LOCAL, PACKAGE_ROOT
from tasks.starting import asking
from tasks.starting.files import SCRIPTS, File, planned, refuse_to_overwrite, settings_folder, write
from tasks.starting.looking import SIGNS, look, name_of, started_by
from tasks.starting.model import App
from tasks.starting.settings_text import Where


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What somebody has said of their app; empty = as it is seen, or asked for.

    :param scripts: whether they want bootstrap scripts of their own.
    :param force: whether files that are there may be overwritten.
    """

    name: str = ""
    start: str = ""
    check_path: str = ""
    cloud: str = ""
    image: str = ""
    flavor: str = ""
    scripts: bool = False
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An app that can be deployed now.

    :param home: where `fab` is to be called.
    """

    app: App
    name: str
    home: Path
    files: tuple[File, ...]


def begin(folder: Path, wishes: Wishes) -> Begun:
    """Write what an app needs to be deployed, all of it or nothing.

    :raises SettingsError: nothing says how it is started and nobody is there to be asked; what was said makes no
        settings; or files are in the way.
    """
    folder = folder.resolve()
    _require_app_folder(folder)
    _require_what_servers_are_made_of(wishes)
    app = _app(folder, wishes)
    name, check_path = wishes.name or name_of(folder), wishes.check_path or app.check_path
    if asking.is_somebody_there():
        name = wishes.name or asking.ask("Name of the app", name)
        check_path = wishes.check_path or asking.ask("Path that answers 200 when the app works", check_path)
    app = replace(app, check_path=check_path)
    home = settings_folder(folder)
    files = planned(app, _where(app, name, wishes, os.path.relpath(folder, home)), folder)
    if not wishes.force:
        refuse_to_overwrite(files)
    write(files)
    return Begun(app=app, name=name, home=home, files=files)


def _require_app_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder")
    if folder == PACKAGE_ROOT:
        raise SettingsError(
            f"{folder} is the folder of disposable-servers itself",
            advice=f"In your app's folder: fab -r {folder} init. Or from here: fab init --folder PATH.",
        )


def _require_what_servers_are_made_of(wishes: Wishes) -> None:
    if wishes.cloud not in {"", LOCAL} and not (wishes.image and wishes.flavor):
        raise SettingsError(
            f"--cloud {wishes.cloud}: nothing says what servers are made of there",
            advice="Say it with --image and --flavor, by name or id: `openstack image list`, `openstack flavor list`.",
        )


def _app(folder: Path, wishes: Wishes) -> App:
    found = started_by(wishes.start, folder) if wishes.start else look(folder)
    if found:
        return found
    answer = asking.ask("Command that starts the app") if asking.is_somebody_there() else ""
    if not answer:
        raise SettingsError(
            f"nothing in {folder} says how the app is started",
            advice=f"Looked for: {SIGNS}. Say it: fab init --start './serve --listen \"$PRIVATE_IP:$NODE_PORT\"'",
        )
    return started_by(answer, folder)


def _where(app: App, name: str, wishes: Wishes, source: str) -> Where:
    return Where(
        name=name,
        source=source,
        scripts=SCRIPTS if wishes.scripts or app.scripts else "",
        cloud=wishes.cloud or LOCAL,
        image=wishes.image,
        flavor=wishes.flavor,
    )
