"""The tasks of the local cloud."""

from __future__ import annotations

from invoke.context import Context

from tasks import local_cloud
from tasks.command import command


@command(
    help={
        "face": "The cloud that it looks like: rackspace, openstack or both. Default: both.",
        "build_seconds": "How long builds take, such as 3:8 or 5. Default: no longer than they need.",
        "seed": "A number that repeats the build times.",
    }
)
def up(_c: Context, face: str = "", build_seconds: str = "", seed: str = "") -> None:
    """Start the local cloud, unless it runs.

    A deploy without a configured cloud does so by itself.
    """
    from tasks.settings_file import load

    settings = load()
    port = ["--ssh-port", str(settings.server.ssh_port)] if settings.is_local else []
    chosen = {"--face": face, "--build-seconds": build_seconds, "--seed": seed}
    local_cloud.show("up", *port, *(f"{option}={value}" for option, value in chosen.items() if value))


@command()
def down(_c: Context) -> None:
    """End the local cloud; nothing of it is left."""
    local_cloud.show("down")


@command(help={"json": "All of it as JSON, with the credentials, so that any client can be pointed at it."})
def status(_c: Context, json: bool = False) -> None:
    """Say whether it runs, and how to reach it."""
    local_cloud.show("status", *(["--json"] if json else []))


@command(help={"server": "Only this server's console.", "follow": "Go on until Ctrl-C.", "lines": "Lines of each log."})
def logs(_c: Context, server: str = "", follow: bool = False, lines: int = 20) -> None:
    """Show its API requests and the servers' consoles."""
    options = [*(["--server", server] if server else []), *(["--follow"] if follow else [])]
    local_cloud.show("logs", "--lines", str(lines), *options)


@command(
    spared_by=("list_", "clear"),
    help={
        "name": "What is to go wrong; `--list` names everything that can.",
        "times": "How often it strikes; 0: until it is cleared.",
        "seconds": "How long it lasts or delays.",
        "match": "Only what is about this: part of a server's or load balancer's name, or a path.",
        "after": "Let so many occasions pass first.",
        "list_": "Say what is armed, how often each struck, and what there is.",
        "clear": "Forget all faults, or those of NAME.",
    },
)
def fault(  # noqa: PLR0913  each is an option of the command line
    _c: Context,
    name: str,
    *,
    times: int = 1,
    seconds: float = 10.0,
    match: str = "",
    after: int = 0,
    list_: bool = False,
    clear: bool = False,
) -> None:
    """Let something go wrong in the local cloud.

    `fab local.fault build-dies` lets one build die; `fab local.fault --list` names everything that can go wrong.
    """
    if list_:
        local_cloud.show("fault", "--list")
    elif clear:
        local_cloud.show("fault", "--clear", *filter(None, [name]))
    else:
        limits = {"--times": times, "--seconds": seconds, "--match": match, "--after": after}
        local_cloud.show("fault", name, *(f"{option}={value}" for option, value in limits.items()))
