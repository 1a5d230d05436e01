"""Servers through Nova, asked by python-novaclient at one pinned microversion.

Only servers whose metadata carries our app and environment exist here. Refuses to decide anything: it creates, shows
and deletes what it is told.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from novaclient import api_versions
from novaclient import client as novaclient
from novaclient.exceptions import UnsupportedVersion
from novaclient.v2.servers import REBOOT_SOFT

from tasks.cloud import keypairs, nova_servers, quotas
from tasks.cloud.faults import doing
from tasks.cloud.identity import COMPUTE, NEXT_GENERATION, Access
from tasks.cloud.networks import resolve
from tasks.cloud.offers import Offer, Offers
from tasks.cloud.paging import has_next_link, whole
from tasks.cloud.patient import Pace, PatientSession
from tasks.cloud.profiles import ServerProfile
from tasks.errors import Conflict, Immutable, NotFound, SettingsError
from tasks.rollout.model import Server, ServerRequest, ServerStatus

LAST_WITH_FILES = "2.56"
FIRST_WITH_AUTO_NETWORK = "2.37"
RACKSPACE = "2"
EVERYWHERE = "2.1"


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
        self._version = _version(profile, profile.microversion or pinned_microversion(access))
        session = PatientSession(access.session, api=COMPUTE, pace=self._pace)
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
        self._recipe: Recipe | None = None
        self._recipe_lock = threading.Lock()

    def servers(self) -> tuple[Server, ...]:
        """List all our servers, over all pages.

        Sorted out here and not by the API, which drops a filter by metadata and then lists everybody's.
        """
        with doing("listing servers"):
            listed = whole(self._page, key="servers", more=has_next_link("servers"))
            found = (nova_servers.read(body, self._profile) for body in listed)
            return tuple(server for server in found if server is not None)

    def create(self, request: ServerRequest) -> Server:
        """Ask for one server; returns as soon as the cloud has accepted it. Sent once.

        `created` is this machine's time until the server is looked at again: the answer holds little but the id.

        :raises Uncertain: the answer was lost; the server may exist.
        :raises QuotaExceeded: no room for it, or a rule of the account forbids it.
        """
        with doing(f"creating server {request.name}"):
            recipe = self._resolved()
            made = self._nova.servers.create(
                request.name,
                recipe.image.id,
                recipe.flavor.id,
                meta={**self._profile.metadata, **request.labels.to_metadata()},
                **self._options(recipe),
            )
            return Server(
                id=made.id,
                name=request.name,
                status=ServerStatus.BUILD,
                private_ip=None,
                created=datetime.now(UTC).replace(microsecond=0),
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
            self._nova.servers.set_meta(server.id, server.labels.to_metadata())

    def note(self, server: Server, name: str, value: str) -> None:
        """Write one metadata item of a server, which is none of its labels. Other items are left as they are."""
        with doing(f"noting {name} of server {server.name}"):
            self._nova.servers.set_meta(server.id, {name: value})

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
        """Read the whole console log that the cloud keeps; empty when there is none yet.

        :raises NotOffered: this cloud shows no console logs.
        """
        with doing(f"reading the console of server {server_id}"):
            try:
                return str(self._nova.servers.get_console_output(server_id) or "")
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

    def problems(self, extra_servers: int) -> list[str]:
        """Say everything that would keep `extra_servers` more servers from being created; an empty list is good news.

        Changes nothing: a key that is not there yet is imported with the first server.

        :raises CloudError: the API itself cannot be asked.
        """
        found = [self._images.problem(self._profile.image), self._flavors.problem(self._profile.flavor)]
        if not found[1]:
            found += self.limits().problems(self._flavors.find(self._profile.flavor), extra_servers)
        if self._profile.files:
            found += self.limits().file_problems(self._profile.files)
        for check in (self._networks, partial(keypairs.check, self._nova.keypairs, self._profile)):
            try:
                check()
            except (NotFound, Conflict, SettingsError) as error:
                found.append(str(error).replace("\n", "; "))
        return [problem for problem in found if problem]

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
        if not nics and self._version >= api_versions.APIVersion(FIRST_WITH_AUTO_NETWORK):
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
        needed = self._profile.config_drive is None and self._profile.user_data and _is_rackspace(self._access)
        return True if needed else self._profile.config_drive


def _no_file(*_args: object, **_kwargs: object) -> AbstractContextManager[None]:
    return nullcontext()


def pinned_microversion(access: Access) -> str:
    """Give the microversion at which a cloud is asked unless the settings name one: never the newest there is.

    Rackspace's servers know no microversions. Everything that we use is in 2.1, which every Nova has; higher ones would
    take away file injection (2.57), and make more clouds refuse us.
    """
    return RACKSPACE if _is_rackspace(access) else EVERYWHERE


def _is_rackspace(access: Access) -> bool:
    return access.service_name(COMPUTE) == NEXT_GENERATION


def _version(profile: ServerProfile, wanted: str) -> Any:
    try:
        version = api_versions.get_api_version(wanted)
    except UnsupportedVersion as error:
        raise SettingsError(f"compute microversion {wanted!r}: {error}") from error
    if version.is_latest():
        raise SettingsError(f"compute microversion {wanted!r}: name one, not the latest there is")
    if profile.files and version > api_versions.APIVersion(LAST_WITH_FILES):
        raise SettingsError(
            f"files cannot be injected at compute microversion {wanted}",
            advice=f"use {LAST_WITH_FILES} or lower, or user data",
        )
    return version
