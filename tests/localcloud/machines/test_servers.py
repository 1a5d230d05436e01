"""What a server with namespaces is, seen from inside."""

import base64
import json
import os
import sys

import asyncssh
import pytest

from tasks.localcloud.machines.spec import BootFailed, InjectedFile

USER_DATA = b"""#cloud-config
write_files: [{path: /etc/rc.local, permissions: "0755", content: "#!/bin/sh\\necho rc.local ran\\n"}]
runcmd: [echo user data ran as $(id -un) on $(hostname)]
"""


@pytest.fixture(scope="module")
def server(lab):
    """Boot a server that is given files, metadata and a script."""
    spec = lab.boot(
        personality=(
            InjectedFile(path="/etc/rc.local.stage1", contents=b"#!/bin/sh\n"),
            InjectedFile(path="/srv/deep/down/bytes", contents=bytes(range(256))),
        ),
        user_data=USER_DATA,
        metadata={"app": "guestbook"},
    )
    lab.sh(spec, "for i in $(seq 400); do test -e /var/lib/cloud/instance/boot-finished && exit; sleep 0.05; done")
    return spec


def test_host_name_is_the_servers_own(lab, server):
    """A server has the host name it was given and the host keeps its own."""
    assert lab.sh(server, "hostname; cat /etc/hostname") == "web-1\nweb-1"
    assert os.uname().nodename != "web-1"


def test_sees_only_its_own_processes(lab, server):
    """Process 1 is the server's init, and no process of the host is in sight."""
    processes = lab.sh(server, "ls -d /proc/[0-9]*").split()

    assert "/proc/1" in processes
    assert f"/proc/{os.getpid()}" not in processes
    assert len(processes) < 10


def test_usr_is_read_only(lab, server):
    """A server cannot change the host's programs."""
    assert "Read-only" in lab.sh(server, "touch /usr/bin/mine 2>&1 || true")


@pytest.mark.parametrize("folder", ["/etc", "/var", "/srv", "/root", "/home", "/tmp", "/run", "/dev/shm"])
def test_folder_is_private_and_writable(lab, server, folder):
    """What a server writes is not on the host."""
    lab.sh(server, f"echo mine > {folder}/of-web-1")

    assert not os.access(f"{folder}/of-web-1", os.F_OK)


def test_kernel_switches_cannot_be_turned(lab, server):
    """A server's root cannot change the host's kernel settings."""
    assert "ead-only" in lab.sh(
        server, "echo 1 2>&1 > /proc/sys/vm/swappiness || true; touch /proc/sys/vm/swappiness 2>&1 || true"
    )


def test_network_of_the_host_cannot_be_changed(lab, server):
    """A server has no capability over the network, the kernel's modules or its mounts."""
    effective = int(lab.sh(server, "grep CapEff /proc/self/status").split()[1], 16)

    for forbidden in (12, 16, 17, 21, 22, 25, 27):
        assert not effective & 1 << forbidden


def test_etc_has_no_secrets_of_the_host(lab, server):
    """Passwords, accounts of people and host keys of the machine do not reach its servers."""
    shadow = lab.sh(server, "cat /etc/shadow").splitlines()
    accounts = lab.sh(server, "cut -d: -f3 /etc/passwd").split()

    assert {line.split(":")[1] for line in shadow} == {"*"}
    assert not [number for number in accounts if 1000 <= int(number) < 60000]
    assert set(lab.sh(server, "ls /etc/ssh").split()) == {
        "ssh_host_ecdsa_key",
        "ssh_host_ecdsa_key.pub",
        "ssh_host_ed25519_key",
        "ssh_host_ed25519_key.pub",
    }


def test_python_is_the_daemons(lab, server):
    """`python3` in a server is the interpreter that runs the local cloud, and works."""
    seen = lab.sh(server, "python3 -c 'import sys, ssl, sqlite3; print(sys.version)'")

    assert seen == sys.version


def test_virtual_environments_can_be_made(lab, server):
    """A server can make a virtual environment and run what is in it."""
    made = lab.sh(
        server, "python3 -m venv --without-pip /srv/venv && /srv/venv/bin/python -c 'import sys; print(sys.prefix)'"
    )

    assert made == "/srv/venv"


def test_personality_is_roots(lab, server):
    """Injected files have their contents to the byte, belong to root, can be read and not be executed."""
    contents = lab.sh(server, "base64 -w0 /srv/deep/down/bytes")

    assert base64.b64decode(contents) == bytes(range(256))
    assert lab.sh(server, "stat -c '%U %a' /etc/rc.local.stage1") == "root 444"


def test_metadata_is_readable(lab, server):
    """A server can read its own metadata."""
    assert json.loads(lab.sh(server, "cat /run/metadata.json"))["meta"] == {"app": "guestbook"}


def test_shared_volume_is_seen_by_all(lab, server):
    """What one server puts on /srv/shared is there for the others and survives it."""
    lab.sh(server, "echo hello > /srv/shared/note")

    assert (lab.shared / "note").read_text() == "hello\n"


def test_console_tells_the_boot_in_cloud_inits_order(lab, server):
    """rc.local runs, then user data, and only then the host keys are printed, as in cloud-init's final stage."""
    text = lab.hypervisor.console(server.id)
    order = [
        "Linux version",
        "sshd: listening",
        "rc.local ran",
        "user data ran as root on web-1",
        "-----BEGIN SSH HOST KEY FINGERPRINTS-----",
        "-----END SSH HOST KEY FINGERPRINTS-----",
        "-----BEGIN SSH HOST KEY KEYS-----",
        "-----END SSH HOST KEY KEYS-----",
        "web-1 login:",
    ]

    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_programs_can_write_to_the_console(lab, server):
    """What a program writes to /dev/console is in the console log, as often as it likes."""
    lab.sh(server, "echo first > /dev/console; echo second > /dev/console")

    lab.until(lambda: "first\nsecond\n" in lab.hypervisor.console(server.id))


def test_host_keys_on_the_console_are_those_of_the_server(lab, server):
    """A client that trusts exactly the keys on the console gets in (cloud-init, keys_to_console)."""
    lines = lab.hypervisor.console(server.id).splitlines()
    keys = lines[lines.index("-----BEGIN SSH HOST KEY KEYS-----") + 1 : lines.index("-----END SSH HOST KEY KEYS-----")]
    trusted = asyncssh.import_known_hosts("".join(f"* {key}\n" for key in keys))

    async def log_in():
        async with lab.connect(server, known_hosts=trusted) as connection:
            return (await connection.run("true")).exit_status

    assert [key.split()[0] for key in keys] == ["ecdsa-sha2-nistp256", "ssh-ed25519"]
    assert lab.run(log_in()) == 0


def test_accounts_can_be_made_where_the_daemon_is_root(lab, server):
    """A server run by root can have further users; one in a user namespace has only root."""
    if os.getuid() != 0:
        pytest.skip("an unprivileged user namespace maps one user")

    assert lab.sh(server, "useradd --system app && setpriv --reuid app --regid app --clear-groups id -un") == "app"


def test_orphans_are_reaped(lab, server):
    """Processes that lost their parent do not stay behind as zombies."""
    lab.sh(server, "for i in 1 2 3; do (setsid true &) ; done")

    assert "Z" not in lab.sh(
        server,
        "for i in $(seq 200); do grep -q '^State:.Z' /proc/[0-9]*/status || exit 0; "
        "sleep 0.02; done; grep '^State' /proc/[0-9]*/status",
    )


def test_busy_address_is_named_in_the_failure(lab, server):
    """A server whose SSH address is taken does not boot, and the reason says so."""
    with pytest.raises(BootFailed, match="address already in use"):
        lab.boot(private_ip=server.private_ip)


def test_cloud_config_is_honoured(lab):
    """write_files, runcmd, ssh_keys and ssh_authorized_keys of a #cloud-config do what cloud-init's docs say."""
    host, second = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    private = host.export_private_key().decode().replace("\n", "\n    ")
    config = f"""#cloud-config
write_files:
- path: /etc/app/settings
  content: {base64.b64encode(b"a=1").decode()}
  encoding: b64
  permissions: '0600'
runcmd:
- [sh, -c, 'echo "$0" > /run/ran', 'two words']
- hostname >> /run/ran
ssh_keys:
  ed25519_private: |
    {private}
ssh_authorized_keys:
- {second.export_public_key().decode()}
"""
    spec = lab.boot(user_data=config.encode())

    async def log_in():
        trusted = asyncssh.import_known_hosts("* " + host.export_public_key().decode())
        async with lab.connect(spec, known_hosts=trusted, client_keys=[second]) as connection:
            return (await connection.run("cat /etc/app/settings; stat -c ' %a' /etc/app/settings")).stdout

    assert lab.run(log_in()) == "a=1 600\n"
    assert lab.wait_for_file(spec, "/run/ran").splitlines()[0] == "two words"
