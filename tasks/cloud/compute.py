"""Servers through Nova, asked by python-novaclient at one pinned microversion.

Only servers whose metadata carries our app and environment exist here. Refuses to decide anything: it creates, shows
and deletes what it is told.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from novaclient import client as novaclient
from novaclient.v2.servers import REBOOT_SOFT

from tasks.cloud import ids, keypairs, microversions, nova_servers, quotas
from tasks.cloud.faults import doing
from tasks.cloud.identity import COMPUTE, Access
from tasks.cloud.networks import resolve
from tasks.cloud.offers import Offer, Offers
from tasks.cloud.paging import has_next_link, whole
from tasks.cloud.patient import Pace, PatientSession
from tasks.cloud.profiles import ServerProfile
from tasks.cloud.spares import Spares
from tasks.errors import Conflict, Immutable, NotFound, SettingsError
from tasks.findings import Finding, looked
from tasks.rollout.model import Server, ServerRequest, ServerStatus, Spare

# Ten times what Nova itself keeps (nova, MAX_CONSOLE_BYTES). In characters.
MOST_CONSOLE = 1_000_000
_CHOICE = (NotFound, Conflict, SettingsError)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A profile with all its names resolved."""

    image: Offer
    flavor: Offer
    networks: tuple[str, ...]
    key_name: str | None


class NovaCompute:
    """The servers of one app and environment (the port Compute). Threads may share it.

    :raises NotFound: the cloud has no compute API in this region.
    :raises SettingsError: the profile contradicts its microversion.
    """

    def __init__(self, access: Access, profile: ServerProfile, pace: Pace | None = None) -> None:
        self._access = access
        self._profile = profile
        self._pace = pace or Pace()
        self._version = microversions.read(profile.microversion or microversions.pinned(access), profile)
        session = PatientSession(access.session, api=COMPUTE, pace=self._pace)
        self._time = session.cloud_time
        plain = access.adapter(COMPUTE, session, what="servers")
        self._nova = novaclient.Client(
            self._version,
            session=session,
            service_name=plain.service_name,
            region_name=plain.region_name,
            endpoint_type=plain.interface,
        )
        for asked in (self._nova.servers, self._nova.keypairs, self._nova.limits):
            # novaclient would write the ids it sees to ~/.novaclient, for its shell's completion.
            asked.completion_cache = _no_file
        # Asked without a microversion: from 2.36 on the compute API would send us to another one for images.
        self._images = Offers(plain, kind="image", path="/images/detail")
        self._flavors = Offers(plain, kind="flavor", path="/flavors/detail")
        self._spares = Spares(api=plain, profile=profile)
        self._recipe: Recipe | None = None
        self._recipe_lock = threading.Lock()

    def servers(self) -> tuple[Server, ...]:
        """List all our servers, over all pages.

        Sorted out here and not by the API, which drops a filter by metadata and then lists everybody's.
        """
        with doing("listing servers"):
            found = (nova_servers.read(body, self._profile) for body in self._listed())
            return tuple(server for server in found if server is not None)

    def create(self, request: ServerRequest) -> Server:
        """Ask for one server; returns as soon as the cloud has accepted it. Sent once.

        `created` is the time of the answer until the server is looked at again: it holds little but the id.

        :raises Uncertain: the answer was lost; the server may exist.
        :raises QuotaExceeded: no room for it, or a rule of the account forbids it.
        """
        with doing(f"creating server {request.name}"):
            recipe = self._resolved()
            made = self._nova.servers.create(
                request.name,
                recipe.image.id,
                recipe.flavor.id,
                meta=nova_servers.fitting({**self._profile.metadata, **request.labels.to_metadata()}),
                **self._options(recipe),
            )
            return Server(
                id=ids.read(made.id),
                name=request.name,
                status=ServerStatus.BUILD,
                private_ip=None,
                created=self._time.now().replace(microsecond=0),
                labels=request.labels,
            )

    def server(self, server_id: str) -> Server:
        """Show one server.

        :raises NotFound: it is gone, or it is none of ours.
        """
        with doing(f"showing server {server_id}"):
            found = nova_servers.read(self._nova.servers.get(server_id).to_dict(), self._profile)
            if found is None:
                mine = f"{self._profile.app} {self._profile.environment}"
                raise NotFound(f"its metadata does not say that it belongs to {mine}")
            return found

    def label(self, server: Server) -> None:
        """Write the labels of `server` to its metadata. Other items are left as they are."""
        with doing(f"labelling server {server.name}"):
            self._nova.servers.set_meta(server.id, nova_servers.fitting(server.labels.to_metadata()))

    def note(self, server_id: str, name: str, value: str) -> None:
        """Write one metadata item of a server. Other items are left as they are.

        :raises NotFound: the server is gone.
        :raises QuotaExceeded: it has as many items as it may have.
        """
        with doing(f"noting {name} of server {server_id}"):
            self._nova.servers.set_meta(server_id, nova_servers.fitting({name: value}))

    def erase(self, server_id: str, name: str) -> None:
        """Remove one metadata item of a server. An item or a server that is gone already is no error."""
        with doing(f"erasing {name} of server {server_id}"):
            try:
                self._nova.servers.delete_meta(server_id, [quote(name, safe="")])
            except NotFound:
                return

    def now(self) -> datetime:
        """Give the time on the cloud's clock, as its answers tell it; this machine's where they do not.

        Asks only when nothing has been asked yet.
        """
        with doing("asking for the time"):
            if not self._time.is_heard:
                self._page({"limit": "1"})
            return self._time.now()

    def delete(self, server_id: str) -> None:
        """Ask for a server to be deleted; one that is gone already is no error. Look until it is gone."""
        with doing(f"deleting server {server_id}"):
            try:
                self._nova.servers.delete(server_id)
            except NotFound:
                return

    def reboot(self, server_id: str) -> None:
        """Ask for a server's operating system to be shut down and started again. Look until it is ACTIVE."""
        with doing(f"rebooting server {server_id}"):
            self._nova.servers.reboot(server_id, REBOOT_SOFT)

    def console(self, server_id: str) -> str:
        """Read the whole console log that the cloud keeps, up to a million characters; empty when there is none yet.

        :raises NotOffered: this cloud shows no console logs.
        """
        with doing(f"reading the console of server {server_id}"):
            try:
                return str(self._nova.servers.get_console_output(server_id) or "")[-MOST_CONSOLE:]
            except (Conflict, Immutable):
                return ""
            except NotFound:
                # Nova says 404 for "no console yet" as well as for "no such server"; showing it tells which.
                self._nova.servers.get(server_id)
                return ""

    def limits(self) -> quotas.Limits:
        """Tell how many servers and how much of cores and RAM the project uses and may use."""
        with doing("reading the limits"):
            return quotas.read(self._nova.limits.get().to_dict()["absolute"])

    def room(self) -> int | None:
        """Give how many more servers of the profile's flavor the quotas allow; None when there is no limit.

        :raises NotFound: there is no such flavor.
        """
        with doing("reading how many servers there may be"):
            return self.limits().more(self._flavors.find(self._profile.flavor))

    def addresses(self) -> frozenset[str]:
        """Give every address of every server of the account, ours or not."""
        with doing("listing the addresses of all servers"):
            return frozenset(address for body in self._listed() for address in nova_servers.addresses(body))

    def spares(self) -> tuple[Spare, ...]:
        """List keypairs and images that were made for this app and environment and that no server uses any more.

        Never what the profile names: the next server may be made of it.
        """
        with doing("listing keypairs and images that are not used"):
            return tuple(self._spares.found(self._listed))

    def discard(self, spare: Spare) -> None:
        """Delete a keypair or an image. One that is gone already is no error."""
        with doing(f"deleting {spare.kind} {spare.name}"):
            self._spares.discard(spare)

    def findings(self, extra_servers: int) -> list[Finding]:
        """Say whether `extra_servers` more servers can be created, thing by thing.

        Changes nothing: a key that is not there yet is imported with the first server.

        :raises CloudError: the API itself cannot be asked.
        """
        image, flavor = self._images.finding(self._profile.image), self._flavors.finding(self._profile.flavor)
        found = [image, flavor]
        if flavor.ok:
            found += self.limits().findings(self._flavors.find(self._profile.flavor), extra_servers)
        if self._profile.files:
            found.append(self.limits().on_files(self._profile.files))
        return [
            *found,
            looked("networks", self._described_networks, "set `server.networks`", wrong_when=_CHOICE),
            looked("keypair", self._described_key, "set `server.key_file`", wrong_when=_CHOICE),
        ]

    def _described_networks(self) -> str:
        return ", ".join(self._networks()) or "the cloud's default"

    def _described_key(self) -> str:
        if not self._profile.public_key and not self._profile.key_name:
            return "none is wanted"
        is_there = keypairs.check(self._nova.keypairs, self._profile)
        return "the cloud has it" if is_there else "imported with the first server"

    def _listed(self) -> list[dict[str, Any]]:
        return whole(self._page, key="servers", more=has_next_link("servers"))

    def _page(self, query: dict[str, str]) -> Any:
        # Not novaclient's list, which keeps the links to itself: it would ask for one page more than there is, after a
        # server that may be gone by then, and never end when a service repeats its last page.
        return self._nova.client.get(f"/servers/detail?{urlencode(query)}" if query else "/servers/detail")[1]

    def _resolved(self) -> Recipe:
        with self._recipe_lock:
            if self._recipe is None:
                self._recipe = Recipe(
                    image=self._images.find(self._profile.image),
                    flavor=self._flavors.find(self._profile.flavor),
                    networks=self._networks(),
                    key_name=keypairs.ensure(self._nova.keypairs, self._profile),
                )
            return self._recipe

    def _networks(self) -> tuple[str, ...]:
        return resolve(self._profile.networks, self._access, self._pace)

    def _options(self, recipe: Recipe) -> dict[str, Any]:
        """Give the optional parts of a create call. novaclient encodes user data and files itself."""
        nics: Any = [{"net-id": network} for network in recipe.networks]
        if not nics and microversions.wants_networks(self._version):
            nics = "auto"
        return {
            "key_name": recipe.key_name,
            "nics": nics or None,
            "files": dict(self._profile.files) or None,
            "userdata": self._profile.user_data or None,
            "config_drive": self._config_drive(),
            "security_groups": list(self._profile.security_groups) or None,
            "availability_zone": self._profile.availability_zone or None,
        }

    def _config_drive(self) -> bool | None:
        # At Rackspace user data is only described together with a config drive, which heat forces on there as well
        # (Cloud Servers docs, config drive extension; heat's contrib for Rackspace).
        needed = (
            self._profile.config_drive is None and self._profile.user_data and microversions.is_rackspace(self._access)
        )
        return True if needed else self._profile.config_drive


def _no_file(*_args: object, **_kwargs: object) -> AbstractContextManager[None]:
    return nullcontext()
