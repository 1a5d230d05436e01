"""How much a project may use, and the wording when it asks for more (nova/exception.py, nova/compute/utils.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tasks.localcloud.compute.flavors import Flavor
from tasks.localcloud.compute.refusals import Forbidden

UNLIMITED = -1


@dataclass(frozen=True, kw_only=True)
class Quota:
    """The limits of a project, named as Nova names them; `ram` in MiB, -1 is no limit.

    Servers and RAM are Rackspace's defaults (Cloud Servers docs, quotas), the rest is Nova's.
    """

    instances: int = 100
    cores: int = UNLIMITED
    ram: int = 131_072
    key_pairs: int = 100
    metadata_items: int = 128
    injected_files: int = 5
    injected_file_content_bytes: int = 10_240
    injected_file_path_bytes: int = 255
    server_groups: int = 10
    server_group_members: int = 10

    def number_of_servers(self, used: Collection[Flavor], flavor: Flavor, count: Count) -> int:
        """Give how many more servers of a flavor there is room for, within what is asked for.

        :raises Forbidden: not even for the least number asked for.
        """
        for number in range(count.most, count.least - 1, -1):
            if not self._excess(used, flavor, number):
                return number
        raise Forbidden(self._excess(used, flavor, count.least))

    def _excess(self, used: Collection[Flavor], flavor: Flavor, number: int) -> str:
        """Say which limit so many servers would break; empty when none."""
        already = {"instances": len(used), "cores": sum(f.vcpus for f in used), "ram": sum(f.ram for f in used)}
        wanted = {"instances": number, "cores": number * flavor.vcpus, "ram": number * flavor.ram}
        limits = {"instances": self.instances, "cores": self.cores, "ram": self.ram}
        for name, limit in limits.items():
            if limit != UNLIMITED and already[name] + wanted[name] > limit:
                use = f"Requested {wanted[name]}, but already used {already[name]} of {limit} {name}"
                return f"Quota exceeded for {name}: {use}"
        return ""

    def check_metadata(self, metadata: Mapping[str, str]) -> None:
        """Refuse too many metadata items.

        :raises Forbidden: there are more than `metadata_items`.
        """
        if len(metadata) > self.metadata_items:
            raise Forbidden(f"Maximum number of metadata items exceeds {self.metadata_items}")

    def check_personality(self, files: Mapping[str, bytes]) -> None:
        """Refuse too many, too large or too deep files to inject.

        :raises Forbidden: one of the three `injected_file` limits is exceeded.
        """
        if len(files) > self.injected_files:
            raise Forbidden("Personality file limit exceeded")
        if any(len(path.encode()) > self.injected_file_path_bytes for path in files):
            raise Forbidden("Personality file path too long")
        if any(len(contents) > self.injected_file_content_bytes for contents in files.values()):
            raise Forbidden("Personality file content too long")


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many servers one request asks for."""

    least: int = 1
    most: int = 1
