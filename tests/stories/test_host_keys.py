"""Deploys to servers whose host keys are not what they should be, or are believed unseen."""

import re
import shutil

from tests.hosts.sshd import impostor_at
from tests.stories.clouds import Cloud
from tests.stories.operators import CHECKOUT, ONE, Operator, ended, eventually

SSH_PORT = 2222
FINGERPRINT = re.compile(r"SHA256:[\w+/]+")
CLOSE_THE_DOOR = "#!/bin/sh\nif grep -q '^{address} ' /etc/hosts; then service ssh stop; fi\n"
FIRST_USE = f'{ONE}server.trust = "first-use"\n'


def test_a_man_in_the_middle_of_a_deploy(operator: Operator):
    """A server is sent nothing if its address shows a key that its console does not; another one takes its place."""
    taken = first_private_ip(operator)
    deploy = operator.with_settings(with_door_closed(operator, taken)).start("fab", "deploy")
    true_keys = eventually(lambda: behind_a_closed_door(operator.cloud()), "the server's own SSH server to stop")
    with impostor_at(taken, SSH_PORT, operator.folder) as impostor:
        ran = ended(deploy)

    assert ran.code == 0, ran.text
    [replaced] = [line for line in ran.stdout.splitlines() if " is replaced: " in line]
    shown, *known = FINGERPRINT.findall(replaced)
    assert f"at {taken} showed the SSH host key {shown} " in replaced
    assert (shown, set(known)) == (impostor.host_key.get_fingerprint(), true_keys)
    assert (impostor.logins, impostor.refusals, impostor.commands) == (0, 0, [])
    [server] = operator.status()["servers"]
    assert server["private_ip"] != taken
    assert operator.cloud().page().server == server["name"]


def first_private_ip(operator: Operator) -> str:
    """Give the address that the first server of a local cloud gets: 127.x.2.1, where the API is at 127.x.0.1."""
    network = re.findall(r"127\.\d+", operator.local_status()["auth_url_v3"])[0]
    return f"{network}.2.1"


def with_door_closed(operator: Operator, address: str) -> str:
    """Give settings by which the server at an address ends its SSH server before its console shows any key."""
    scripts = operator.folder / "scripts"
    shutil.copytree(CHECKOUT / "bootstrap_scripts", scripts)
    door = scripts / "40-door.sh"
    door.write_text(CLOSE_THE_DOOR.format(address=address))
    door.chmod(0o755)
    return f'{ONE}bootstrap = "cloud-init"\nbootstrap_scripts = "{scripts}"\n'


def behind_a_closed_door(cloud: Cloud) -> set[str] | None:
    """Give the fingerprints on a server's console when its SSH server has been stopped; None before that."""
    for server in cloud.servers().values():
        console = server.get_console_output()
        if "sshd: stopped" in console and "-----END SSH HOST KEY KEYS-----" in console:
            return set(FINGERPRINT.findall(console))
    return None


def test_first_use(operator: Operator):
    """Trust on first use, asked for by name, deploys with one warning, and keeps the keys that it has believed."""
    believing = operator.with_settings('count = 2\nserver.trust = "first-use"\ncommands.test = ""\n')
    ran = believing.manages("deploy")
    servers = believing.status()["servers"]
    known = (operator.folder / "disposable-servers/known_hosts/guestbook-production").read_text()
    believing.manages("check")

    assert ran.text.count('server.trust = "first-use"') == 1
    assert all(f"[{server['private_ip']}]:{SSH_PORT} ssh-" in known for server in servers)
    assert {believing.cloud().page().server for _ in range(4)} == {server["name"] for server in servers}
