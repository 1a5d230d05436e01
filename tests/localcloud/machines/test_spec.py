"""The values of a server on their way to the fork server."""

from pathlib import Path

from tasks.localcloud.machines.spec import Boot, InjectedFile, Isolation, MachineSpec


def test_a_boot_survives_the_pipe():
    """A boot that is written and read is the same, bytes included, and takes one line."""
    spec = MachineSpec(
        id="1",
        hostname="web",
        private_ip="127.1.2.3",
        ssh_port=22,
        authorized_keys=("ssh-ed25519 AAAA",),
        shared=Path("/shared"),
        personality=(InjectedFile(path="/a", contents=bytes(range(256))),),
        user_data=b"\xff\n",
        metadata={"ключ": "\n"},
    )
    boot = Boot(spec=spec, folder=Path("/f"), image=Path("/i"), exchange=Path("/e"), isolation=Isolation.NAMESPACES)

    assert Boot.from_json(boot.to_json()) == boot
    assert "\n" not in boot.to_json()
