"""What the parts of the compute API share: the model, whose project it is, and how answers name themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request

from tasks.localcloud.api.compute.microversions import spoken
from tasks.localcloud.api.compute.server_views import ServerView
from tasks.localcloud.compute.images import Images
from tasks.localcloud.compute.keypairs import Keypairs
from tasks.localcloud.compute.server_groups import ServerGroups
from tasks.localcloud.compute.servers import Servers
from tasks.localcloud.compute.snapshots import Snapshots
from tasks.localcloud.faults.registry import Faults
from tasks.localcloud.identity.credentials import Credentials

ENDPOINT = "/compute/v2.1"


@dataclass(frozen=True, kw_only=True)
class Compute:
    """The compute service of one project. `page_limit` is the greatest number of items in one answer."""

    servers: Servers
    images: Images
    keypairs: Keypairs = field(default_factory=Keypairs)
    credentials: Credentials
    groups: ServerGroups = field(default_factory=ServerGroups)
    faults: Faults = field(default_factory=Faults)
    page_limit: int = 1000

    @property
    def snapshots(self) -> Snapshots:
        """Give what makes images of servers."""
        return Snapshots(self.servers, self.images)

    def view(self, request: Request) -> ServerView:
        """Give the view of whoever has sent a request."""
        return ServerView(
            root=root_of(request),
            minor=spoken(request).minor,
            project=self.credentials.project,
            user_id=self.credentials.user_id,
        )


def root_of(request: Request) -> str:
    """Give the compute endpoint as the client calls it."""
    return f"{request.url.scheme}://{request.url.netloc}{ENDPOINT}"
