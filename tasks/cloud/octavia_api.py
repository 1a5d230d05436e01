"""The endpoint of Octavia v2: its paths, its lists, its versions. Refuses to know what is made of the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tasks.cloud.faults import NotOffered
from tasks.cloud.identity import Access
from tasks.cloud.paging import has_next_link, whole
from tasks.cloud.patient import Pace, PatientSession
from tasks.errors import NotFound, Unauthorized

SERVICE = "load-balancer"
# Without a limit Octavia says after the last page that there is one more (api/common/pagination.py, _make_links).
PAGE = 1000

Body = dict[str, Any]


class OctaviaApi:
    """The load balancers, listeners, pools, members and monitors of our project, as JSON. Threads may share it.

    :raises NotFound: the cloud has no such API in this region.
    """

    def __init__(self, access: Access, pace: Pace) -> None:
        self.clock = pace.clock
        self.project = access.session.get_project_id()
        self._adapter = access.adapter(
            SERVICE, PatientSession(access.session, api="load balancer", pace=pace), what="Octavia load balancers"
        )
        # Catalogs point to the root; those made in the days of Neutron LBaaS include the version.
        self._root = re.sub(r"/v2(\.\d+)?/?$", "", self._adapter.get_endpoint() or "").rstrip("/")

    @cached_property
    def versions(self) -> frozenset[str]:
        """The versions that the endpoint lists ("v2.0", "v2.11" …); none where it keeps them to itself."""
        try:
            listed = self._adapter.get(f"{self._root}/").json()
        except (NotFound, NotOffered, Unauthorized):
            return frozenset()
        return frozenset(str(version["id"]) for version in listed.get("versions", ()))

    def show(self, path: str) -> Body:
        """Show one thing: `path` is such as "pools/<id>", and the answer is in the singular of the plural before it.

        :raises NotFound: there is none.
        """
        plural = path.split("/")[-2]
        shown: Body = self._adapter.get(self._url(path)).json()[plural.removesuffix("s")]
        return shown

    def listed(self, path: str, **filters: str) -> list[Body]:
        """List all of a kind, such as "pools" or "pools/<id>/members", over all pages, deleted ones left out.

        Those of other projects, which an administrator sees too, are left out as well.
        """

        def page(query: dict[str, str]) -> Any:
            wanted = {"project_id": self.project, **filters, "limit": str(PAGE), **query}
            return self._adapter.get(self._url(path), params=wanted).json()

        plural = path.rsplit("/", maxsplit=1)[-1]
        bodies = whole(page, key=plural, more=has_next_link(plural))
        return [body for body in bodies if body.get("project_id", self.project) == self.project and not _gone(body)]

    def make(self, path: str, body: Mapping[str, Any]) -> Body:
        """Make one thing under a plural path, and give it as it was made. Sent once."""
        singular = path.rsplit("/", maxsplit=1)[-1].removesuffix("s")
        made: Body = self._adapter.post(self._url(path), json={singular: body}).json()[singular]
        return made

    def change(self, path: str, body: Mapping[str, Any], **query: str) -> None:
        """Send a change; `body` is complete, with its root."""
        self._adapter.put(self._url(path), json=body, params=query)

    def delete(self, path: str) -> None:
        """Ask for one thing to be deleted."""
        self._adapter.delete(self._url(path))

    def _url(self, path: str) -> str:
        return f"{self._root}/v2/lbaas/{path}"


def _gone(body: Mapping[str, Any]) -> bool:
    return body.get("provisioning_status") == "DELETED"
