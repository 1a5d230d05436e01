"""The task that makes an app of one's own deployable."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command


@command(
    help={
        "folder": "The app's folder; without it, the current one.",
        "name": "What the app is called; without it, its folder's name.",
        "start": "The command that starts it, listening at $PRIVATE_IP:$NODE_PORT; without it, what its files say.",
        "check_path": "The path that answers 200 when it works; without it, one that its sources name, or /.",
        "cloud": "An entry of clouds.yaml; without it, the local cloud.",
        "image": "With --cloud: the name or id of the image for servers.",
        "flavor": "With --cloud: the name or id of their flavor.",
        "scripts": "Copy the bootstrap scripts as well, to change them.",
        "force": "Overwrite what is there.",
    }
)
def init(  # noqa: PLR0913  each is an option of the command line
    _c: Context,
    *,
    folder: str = ".",
    name: str = "",
    start: str = "",
    check_path: str = "",
    cloud: str = "",
    image: str = "",
    flavor: str = "",
    scripts: bool = False,
    force: bool = False,
) -> None:
    """Make an app of your own deployable: write its settings.

    Looks at the folder (Django, WSGI and ASGI, Node, a Procfile; else `--start`), asks what it cannot see if there is
    a terminal, and writes a commented deploy.toml, a fabfile.py of one line and, where the app needs them, bootstrap
    scripts. Nothing of the app is run, and nothing that is there is overwritten.
    """
    from pathlib import Path

    from tasks.report.begun import show
    from tasks.report.consoles import terminal
    from tasks.starting.beginning import Wishes, begin

    wishes = Wishes(
        name=name,
        start=start,
        check_path=check_path,
        cloud=cloud,
        image=image,
        flavor=flavor,
        scripts=scripts,
        force=force,
    )
    show(begin(Path(folder), wishes), cloud, terminal())
