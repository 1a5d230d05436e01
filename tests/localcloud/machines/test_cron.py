"""Cron in a server: what runs, when, and what no longer does."""

import asyncio
import os
from datetime import datetime

import pytest

from tasks.localcloud.machines.children import Children
from tasks.localcloud.machines.cron import Cron
from tasks.localcloud.machines.place import Place
from tasks.localcloud.machines.spec import InjectedFile

NOON = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001  cron goes by the local clock


@pytest.fixture
def place(tmp_path):
    """Make the folder of a server that is plain processes."""
    for name in ("etc/cron.d", "var/log", "root"):
        (tmp_path / name).mkdir(parents=True)
    return Place(root=tmp_path, environment={"PATH": os.environ["PATH"], "SERVER_ROOT": str(tmp_path)})


def after(place, act):
    """Let cron act, wait until all it started has ended, and give the lines that its programs wrote."""

    async def run():
        children = Children()
        children.watch()
        act(Cron(place, children, now=lambda: NOON))
        async with asyncio.timeout(20):
            await children.none_left()

    asyncio.run(run())
    written = place.at("/root/written")
    return sorted(written.read_text().splitlines()) if written.exists() else []


def test_due_entries_run_in_the_home(place):
    """What is due runs in the user's home; what is not due, or only at boot, does not."""
    place.at("/etc/cron.d/app").write_text(
        "GREETING=hello\n0 12 * * * root echo $GREETING >> written\n1 12 * * * root echo no >> written\n"
        "@reboot root echo boot >> written\n"
    )

    assert after(place, lambda cron: cron.start_due(NOON)) == ["hello"]


def test_standard_input_is_fed(place):
    """A command reads what follows the percent sign."""
    place.at("/etc/cron.d/app").write_text("* * * * * root cat >> written%one%two\n")

    assert after(place, lambda cron: cron.start_due(NOON)) == ["one", "two"]


def test_entry_whose_file_vanished_is_not_started(place):
    """A file that removes itself, as a set-up starter does, runs once."""
    starter = place.at("/etc/cron.d/starter")
    starter.write_text(f"* * * * * root rm {starter}; echo once >> written\n")

    after(place, lambda cron: cron.start_due(NOON))

    assert after(place, lambda cron: cron.start_due(NOON)) == ["once"]


def test_files_with_other_names_do_not_count(place):
    """Files whose name has a dot are left alone, as Debian's cron does (cron(8))."""
    place.at("/etc/cron.d/app.dpkg-old").write_text("* * * * * root echo old >> written\n")

    assert after(place, lambda cron: cron.start_due(NOON)) == []


def test_what_cron_does_is_logged(place):
    """The log has what was started, what it printed, and which lines were not understood."""
    place.at("/etc/cron.d/app").write_text("* * * * * root echo printed\n61 * * * * root true\n")

    after(place, lambda cron: cron.start_due(NOON))
    log = place.at("/var/log/cron.log").read_text()

    assert "(root) CMD (echo printed)" in log
    assert "\nprinted\n" in log or log.startswith("printed\n")
    assert "app: '61' is not between 0 and 59" in log


def test_reboot_entries_run_at_every_boot_of_a_server(lab):
    """In a real server an @reboot entry runs as its user when the server has booted, and again after a reboot."""
    cron = b"@reboot root echo $(id -un) >> /root/boots\n"
    spec = lab.boot(personality=(InjectedFile(path="/etc/cron.d/app", contents=cron),))
    assert lab.wait_for_file(spec, "/root/boots") == "root"

    lab.run(lab.hypervisor.reboot(spec.id))

    lab.sh(spec, "for i in $(seq 400); do test $(wc -l < /root/boots) = 2 && exit; sleep 0.05; done; exit 1")
