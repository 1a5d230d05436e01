"""Opening a cloud: credentials, one token, the catalog.

Reads clouds.yaml, secure.yaml and OS_* as every other OpenStack client does (openstack.config). Refuses to know what
the services do. Importing this module takes a fifth of a second: do it when a cloud is to be opened, not before.
"""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1 import exceptions
from keystoneauth1.access import AccessInfo
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.exceptions import ConfigException

from tasks.cloud import faults
from tasks.cloud.bounded import BoundedAdapter, Bounds
from tasks.errors import CloudError, CloudUnreachable, NotFound, SettingsError

REQUEST_TIMEOUT = 60.0
# keystoneauth's own pool holds 10 connections and warns on stderr about every one more.
CONNECTIONS = 32
COMPUTE = "compute"
# Rackspace's catalog also lists its first-generation servers as "compute" (Cloud Servers docs, service access).
NEXT_GENERATION = "cloudServersOpenStack"


# What these libraries warn about, an error of ours says as well; without a handler it would be on stderr too.
for library in ("keystoneauth", "stevedore"):
    logging.getLogger(library).addHandler(logging.NullHandler())


@dataclass(frozen=True, kw_only=True)
class Service:
    """An API in the catalog. `region` is empty for one that belongs to no region."""

    type: str
    name: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Access:
    """An opened cloud: a session that holds the token, and what the catalog offers.

    `session` gives up on a request after 60 s, or after `api_timeout` of the cloud's entry in clouds.yaml.
    """

    session: Session = field(repr=False)
    cloud: str
    region: str
    services: tuple[Service, ...]
    interface: str | list[str] = "public"

    def service_name(self, service_type: str) -> str | None:
        """Name the service of that type in our region; None when the catalog has no such service."""
        names = [service.name for service in self.services if self._here(service, service_type)]
        return NEXT_GENERATION if NEXT_GENERATION in names else next(iter(names), None)

    def require(self, service_type: str, what: str) -> str:
        """Give the name of the service of that type in our region.

        :raises NotFound: the catalog has none.
        """
        name = self.service_name(service_type)
        if name is None:
            raise NotFound(
                f"the cloud {self.cloud!r} offers no {what} in region {self.region} (catalog type {service_type})",
                advice=self.catalog(),
            )
        return name

    def catalog(self) -> str:
        """Say which types of services there are in our region."""
        there = ", ".join(sorted({service.type for service in self.services if service.region == self.region}))
        return f"its catalog has: {there or 'nothing'}"

    def adapter(self, service_type: str, session: Session, *, what: str) -> Adapter:
        """Give an adapter to the service of that type in our region, over `session`.

        :raises NotFound: the catalog has none.
        """
        return Adapter(
            session=session,
            service_type=service_type,
            service_name=self.require(service_type, what),
            region_name=self.region,
            interface=self.interface,
        )

    def _here(self, service: Service, service_type: str) -> bool:
        return service.type == service_type and service.region == self.region


def open_cloud(name: str | None, *, clouds_yaml: Path | None = None) -> Access:
    """Log in to a cloud and read its catalog.

    :param name: an entry of clouds.yaml; None for OS_CLOUD, the OS_* variables or the only entry there is.
    :param clouds_yaml: read exactly this file and no environment variable; None for the usual search.
    :raises SettingsError: the entry or an option is missing or wrong, or there is a choice of regions.
    :raises NotFound: the catalog does not have the region, or no compute API at all.
    :raises CloudError: identity refused the credentials or cannot be reached.
    """
    config = _configuration(name, clouds_yaml)
    session = _session(config)
    access = _log_in(session, config)
    services = _services(access)
    cloud = config.name or "from the environment"
    region = _region(config.region_name, services, cloud)
    return Access(
        session=session,
        cloud=cloud,
        region=region,
        services=services,
        interface=config.get_interface(COMPUTE) or "public",
    )


def _configuration(name: str | None, clouds_yaml: Path | None) -> CloudRegion:
    only: dict[str, Any] = {
        "config_files": [str(clouds_yaml)],
        "secure_files": [],
        "vendor_files": [],
        "load_envvars": False,
    }
    try:
        loader = OpenStackConfig(app_name="disposable-servers", **(only if clouds_yaml else {}))
        chosen = name or (None if loader.default_cloud == "defaults" else loader.default_cloud)
        return loader.get_one(cloud=_choose(chosen, loader, clouds_yaml))
    except (ConfigException, exceptions.ClientException, TypeError, AttributeError) as error:
        # openstack.config checks neither types nor whether an option is one of the auth_type: those two come from it.
        at = f"{name!r} in {clouds_yaml or 'clouds.yaml or OS_*'}" if name else f"{clouds_yaml or 'OS_*'}"
        advice = "do the options under auth: fit its auth_type?"
        raise SettingsError(f"the cloud {at} cannot be used: {error}", advice=advice) from error


def _choose(name: str | None, loader: Any, clouds_yaml: Path | None) -> str:
    """Settle which entry is meant, so that openstack.config never falls back to an empty one."""
    known = [str(cloud) for cloud in loader.get_cloud_names() if cloud != "defaults"]
    where = str(clouds_yaml) if clouds_yaml else "clouds.yaml, OS_CLOUD and OS_*"
    if name in known:
        return str(name)
    if not known:
        # openstack.config passes over a file that it cannot read, with no more than a log line.
        raise SettingsError(f"no cloud found in {where}", advice="is there an entry under clouds:, and is it YAML?")
    if name is None:
        if len(known) == 1:
            return known[0]
        raise SettingsError(f"{where} name {len(known)} clouds", advice=f"choose one of: {', '.join(known)}")
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise SettingsError(f"there is no cloud {name!r} in {where}", advice=advice)


def _session(config: CloudRegion) -> Session:
    session = config.get_session()
    session.timeout = session.timeout or REQUEST_TIMEOUT
    for scheme in ("http://", "https://"):
        session.session.mount(scheme, BoundedAdapter(bounds=Bounds(), pool_maxsize=CONNECTIONS))
    if _on_this_machine(config.get_auth_args().get("auth_url", "")):
        # A proxy from the environment cannot reach this machine's own loopback addresses.
        session.session.trust_env = False
    return session


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.startswith("127.") or host in {"localhost", "::1"}


def _log_in(session: Session, config: CloudRegion) -> AccessInfo:
    if not isinstance(session.auth, BaseIdentityPlugin):
        raise SettingsError(f"auth_type {config.config['auth_type']} gives no catalog to find the APIs in")
    url = config.get_auth_args().get("auth_url", "")
    with faults.doing(f"logging in to cloud {config.name!r} at {_without_secrets(url)}"):
        try:
            return session.auth.get_access(session)
        except exceptions.HttpError as error:
            raise faults.login_refused(error) from error
        except (exceptions.ConnectionError, exceptions.DiscoveryFailure) as error:
            advice = "check auth_url, and whether this machine may connect to it"
            raise CloudUnreachable(f"identity cannot be reached: {faults.reason(error)}", advice=advice) from error
        except exceptions.ClientException as error:
            raise CloudError(f"identity's answer cannot be used: {type(error).__name__}") from error


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _services(access: AccessInfo) -> tuple[Service, ...]:
    found = []
    for entry in access.service_catalog.catalog:
        for endpoint in entry.get("endpoints", ()):
            region = endpoint.get("region") or endpoint.get("region_id") or ""
            found.append(Service(type=entry["type"], name=entry.get("name", ""), region=region))
    return tuple(dict.fromkeys(found))


def _region(wanted: str, services: tuple[Service, ...], cloud: str) -> str:
    """Settle the region: catalogs compare them case by case, and without one the first endpoint found is taken."""
    regions = sorted({service.region for service in services if service.type == COMPUTE and service.region})
    if not regions:
        raise NotFound(f"the catalog of cloud {cloud!r} has no compute API in any region")
    if wanted in regions:
        return wanted
    if not wanted and len(regions) == 1:
        return regions[0]
    advice = f"set region_name to one of: {', '.join(regions)}"
    if not wanted:
        raise SettingsError(f"cloud {cloud!r} has {len(regions)} regions", advice=advice)
    alike = [f"did you mean {region!r}?" for region in regions if region.lower() == wanted.lower()]
    raise NotFound(f"cloud {cloud!r} has no region {wanted!r}", advice=next(iter(alike), advice))
