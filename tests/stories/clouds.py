"""What is true in a cloud, asked through its APIs with unmodified clients. Knows nothing of our own objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from novaclient.client import Client
from openstack.config import OpenStackConfig

from tests.stories.balancers import Balancer, listed

SERVED_BY = re.compile(r"answered by\s+<strong>([^<]+)</strong>")
RELEASE = re.compile(r"Release <strong>([^<]+)</strong>")
HEARTBEAT = re.compile(r"Worker on (\S+) .*?last seen (\S+) UTC", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Page:
    """The guestbook's page, and who answered."""

    status: int
    text: str

    @property
    def server(self) -> str:
        """Give the name of the server that answered."""
        return SERVED_BY.findall(self.text)[0]

    @property
    def release(self) -> str:
        """Give the release that answered."""
        return RELEASE.findall(self.text)[0]

    @property
    def heartbeats(self) -> dict[str, str]:
        """Give when each server's worker was seen last, by the server's name."""
        return dict(HEARTBEAT.findall(self.text))


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running cloud, reached by the clouds.yaml that it has written."""

    clouds_yaml: Path

    @cached_property
    def session(self) -> Any:
        """Log in."""
        config = OpenStackConfig(config_files=[str(self.clouds_yaml)], secure_files=[], load_envvars=False)
        return config.get_one(cloud="local").get_session()

    @cached_property
    def nova(self) -> Any:
        """Give an unmodified novaclient."""
        return Client("2.1", session=self.session, region_name="ORD")

    def image_id(self) -> str:
        """Give the id of the first image."""
        return str(self.session.get("/images", endpoint_filter={"service_type": "image"}).json()["images"][0]["id"])

    def servers(self) -> dict[str, Any]:
        """Give all servers, by name."""
        return {server.name: server for server in self.nova.servers.list()}

    def balancers(self) -> dict[str, Balancer]:
        """Give all load balancers with their nodes, by name, ordered by port."""
        return {balancer.name: balancer for balancer in listed(self.session)}

    def nodes(self) -> dict[str, str]:
        """Give the condition of every node, by load balancer and address."""
        return {
            f"{name} {node.address}": node.condition
            for name, balancer in self.balancers().items()
            for node in balancer.nodes
        }

    def addresses(self, environment: str = "production") -> list[str]:
        """Give the address of each load balancer of an environment, by port."""
        return [
            f"http://{balancer.virtual_ip}:{balancer.port}"
            for name, balancer in self.balancers().items()
            if name.startswith(f"guestbook-{environment}-")
        ]

    def page(self, address: str | None = None) -> Page:
        """Ask for the page as a visitor does, at the first load balancer if no address is given."""
        with requests.Session() as visitor:
            visitor.trust_env = False
            answer = visitor.get(f"{address or self.addresses()[0]}/", timeout=30)
        return Page(status=answer.status_code, text=answer.text)
