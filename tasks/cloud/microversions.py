"""At which microversion the compute API is asked: one that is pinned, never the newest there is."""

from __future__ import annotations

from typing import Any

from novaclient import api_versions
from novaclient.exceptions import UnsupportedVersion

from tasks.cloud.identity import COMPUTE, NEXT_GENERATION, Access
from tasks.cloud.profiles import ServerProfile
from tasks.errors import SettingsError

LAST_WITH_FILES = "2.56"
FIRST_WITH_AUTO_NETWORK = "2.37"
RACKSPACE = "2"
EVERYWHERE = "2.1"


def is_rackspace(access: Access) -> bool:
    """Say whether a cloud's servers are Rackspace's, which know no microversions and have rules of their own."""
    return access.service_name(COMPUTE) == NEXT_GENERATION


def pinned(access: Access) -> str:
    """Give the microversion at which a cloud is asked unless the settings name one.

    Everything that we use is in 2.1, which every Nova has; higher ones would take away file injection (2.57), and make
    more clouds refuse us.
    """
    return RACKSPACE if is_rackspace(access) else EVERYWHERE


def read(wanted: str, profile: ServerProfile) -> Any:
    """Give novaclient's value of a microversion.

    :raises SettingsError: it is none, or the profile wants what it does not have.
    """
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


def wants_networks(version: Any) -> bool:
    """Say whether a create call must say something of networks, if only that the cloud is to choose."""
    return bool(version >= api_versions.APIVersion(FIRST_WITH_AUTO_NETWORK))
