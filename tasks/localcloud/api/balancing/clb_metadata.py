"""Answers about metadata, on load balancers and on nodes (CLB docs, metadata).

Metadata is the owner's business alone: Envoy never hears of it and a load balancer stays ACTIVE. All the same it has to
be ACTIVE to be given more (CLB docs, add metadata: 422; atlas-lb, LoadbalancerMetadataServiceImpl).
"""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing import clb_shapes
from tasks.localcloud.api.balancing.clb_bodies import MetaBody, MetadataBody, read
from tasks.localcloud.api.balancing.clb_node_requests import META_CHARACTERS, new_metadata, problems_of_meta
from tasks.localcloud.api.balancing.clb_paging import ids
from tasks.localcloud.balancing import clb_rules
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.clb_faults import bad_request, immutable, no_meta, no_node, validation_failure
from tasks.localcloud.balancing.clb_model import LoadBalancer, Meta, Node, Status


@dataclass(frozen=True, kw_only=True)
class Annotated:
    """A load balancer, or one node of it: whatever the metadata in question is on."""

    balancer: LoadBalancer
    node: Node | None

    @property
    def metadata(self) -> tuple[Meta, ...]:
        """The metadata on it."""
        return self.node.metadata if self.node else self.balancer.metadata

    def with_metadata(self, metadata: tuple[Meta, ...]) -> LoadBalancer:
        """Put other metadata on it."""
        if self.node:
            return self.balancer.with_node(replace(self.node, metadata=metadata))
        return replace(self.balancer, metadata=metadata)

    def meta(self, meta_id: int) -> Meta:
        """Find a piece of metadata.

        :raises Fault: 404.
        """
        for item in self.metadata:
            if item.id == meta_id:
                return item
        raise no_meta()

    def refuse_unless_active(self) -> None:
        """Refuse more metadata while the load balancer is being changed; a node's with another code and a wrong reason.

        :raises Fault: 422, or 400.
        """
        if self.balancer.status is Status.ACTIVE:
            return
        if self.node:
            # As atlas-lb does in every state but ACTIVE (NodeMetadataServiceImpl).
            raise bad_request(f"Loadbalancer {self.balancer.id} is deleted, therefore it is immutable.")
        raise immutable(self.balancer.id, self.balancer.status)


def annotated(service: BalancerService, request: Request) -> Annotated:
    """Find what a request is about.

    :raises Fault: 404 or 410.
    """
    balancer = service.existing(request.path_params["balancer_id"])
    if "node_id" not in request.path_params:
        return Annotated(balancer=balancer, node=None)
    node = balancer.node(request.path_params["node_id"])
    if node is None:
        raise no_node()
    return Annotated(balancer=balancer, node=node)


async def list_all(service: BalancerService, request: Request) -> Response:
    """List the metadata."""
    return JSONResponse(clb_shapes.metadata(annotated(service, request).metadata))


async def show(service: BalancerService, request: Request) -> Response:
    """Show one piece."""
    return JSONResponse({"meta": clb_shapes.meta(annotated(service, request).meta(request.path_params["meta_id"]))})


async def add(service: BalancerService, request: Request) -> Response:
    """Add a list of pieces, or one."""
    body = await read(request, MetadataBody)
    items = body.metadata or ((body.meta,) if body.meta else ())
    problems = [problem for item in items for problem in problems_of_meta(item)]
    if not items:
        problems.append("Must provide at least one metadata item")
    if len({item.key for item in items}) < len(items):
        problems.append("Duplicate keys detected. Please ensure that the key is unique for each metadata item.")
    if problems:
        raise validation_failure(problems)
    place = annotated(service, request)
    place.refuse_unless_active()
    new = new_metadata(items, service.next_id)
    clb_rules.may_add_metadata(place.metadata, new)
    service.annotate(place.with_metadata((*place.metadata, *new)))
    return JSONResponse(clb_shapes.metadata(new))


async def update(service: BalancerService, request: Request) -> Response:
    """Change the value of one piece; its key stays."""
    body = await read(request, MetaBody, "meta")
    if body.key is not None:
        raise validation_failure(["Node meta key field cannot be modified."])
    if not body.value or len(body.value) > META_CHARACTERS:
        raise validation_failure(["Must provide a value to update for the node metadata item."])
    place = annotated(service, request)
    changed = replace(place.meta(request.path_params["meta_id"]), value=body.value)
    service.annotate(place.with_metadata(tuple(changed if item.id == changed.id else item for item in place.metadata)))
    return JSONResponse({"meta": clb_shapes.meta(changed)})


async def delete(service: BalancerService, request: Request) -> Response:
    """Remove one piece."""
    place = annotated(service, request)
    doomed = place.meta(request.path_params["meta_id"])
    service.annotate(place.with_metadata(tuple(item for item in place.metadata if item != doomed)))
    return Response()


async def delete_many(service: BalancerService, request: Request) -> Response:
    """Remove several pieces, all or none."""
    wanted = ids(request.query_params)
    if not wanted:
        raise bad_request(clb_rules.NO_IDS)
    place = annotated(service, request)
    clb_rules.may_delete_metadata(place.metadata, wanted)
    service.annotate(place.with_metadata(tuple(item for item in place.metadata if item.id not in wanted)))
    return Response()
