"""Real servers of the local cloud, for the hosts to log in to."""

import asyncio
import random
import threading
import uuid
from contextlib import contextmanager

from tasks.hosts.keys import deploy_key
from tasks.localcloud.machines.hypervisor import Hypervisor
from tasks.localcloud.machines.spec import MachineSpec


class Machines:
    """A hypervisor in a thread, and its servers, which all let the deploy's key in."""

    def __init__(self, folder, hypervisor, wait):
        self._folder = folder
        self._wait = wait
        self.hypervisor = hypervisor
        self.console = hypervisor.console

    def boot(self, **changes):
        """Boot a server at an address of its own; give its description."""
        address = f"127.{random.randint(100, 180)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
        fields = {
            "id": str(uuid.uuid4()),
            "hostname": "web-1",
            "private_ip": address,
            "ssh_port": 2222,
            "shared": self._folder / "shared",
            "authorized_keys": (deploy_key(self._folder / "state").public_line,),
        }
        spec = MachineSpec(**fields | changes)
        self._wait(self.hypervisor.boot(spec))
        return spec

    def reboot(self, spec):
        """Reboot a server, and wait until it is up."""
        self._wait(self.hypervisor.reboot(spec.id))

    def delete(self, spec):
        """Delete a server."""
        self._wait(self.hypervisor.delete(spec.id))


@contextmanager
def machines(folder, isolation=None):
    """Run a hypervisor for a while."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=60)

    (folder / "shared").mkdir()
    (folder / "shared").chmod(0o1777)  # the app runs as a user of its own
    hypervisor = Hypervisor(folder / "machines", isolation=isolation)
    try:
        wait(hypervisor.start())
        yield Machines(folder, hypervisor, wait)
    finally:
        wait(hypervisor.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
