"""Answers about the nodes of a load balancer (CLB docs, nodes)."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.localcloud.api.balancing import clb_shapes
from tasks.localcloud.api.balancing.clb_bodies import NodeBody, NodesBody, read
from tasks.localcloud.api.balancing.clb_node_requests import changed_node, new_nodes, refuse_unchangeable
from tasks.localcloud.api.balancing.clb_paging import ids, page
from tasks.localcloud.balancing import clb_rules
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.clb_faults import bad_request, no_node, no_node_to_change, validation_failure
from tasks.localcloud.balancing.clb_model import LoadBalancer, Node

ACCEPTED = 202


async def list_all(service: BalancerService, request: Request) -> Response:
    """List nodes with the status that Envoy sees."""
    balancer = service.existing(request.path_params["balancer_id"])
    healths = await service.health(balancer)
    nodes = service.earlier(balancer, seconds_ago=service.accidents.list_age(request)).nodes
    shown = page(nodes, lambda node: node.id, request.query_params)
    return JSONResponse({"nodes": [clb_shapes.listed_node(node, balancer, healths) for node in shown]})


async def show(service: BalancerService, request: Request) -> Response:
    """Show one node."""
    balancer = service.existing(request.path_params["balancer_id"])
    node = balancer.node(request.path_params["node_id"])
    if node is None:
        raise no_node()
    return JSONResponse({"node": clb_shapes.listed_node(node, balancer, await service.health(balancer))})


async def events(service: BalancerService, request: Request) -> Response:
    """List why nodes went OFFLINE and came back, as far as the load balancer still has them (CLB docs, nodes)."""
    balancer = service.existing(request.path_params["balancer_id"])
    node_ids = {node.endpoint: node.id for node in balancer.nodes}
    found = [event for event in service.envoy.health_events(balancer.frontend_name) if event.backend in node_ids]
    shown = page(found, lambda event: event.number, request.query_params)
    account = request.scope.get("root_path", "").rpartition("/")[2]
    answer = [clb_shapes.node_event(event, balancer, node_ids[event.backend], account) for event in shown]
    return JSONResponse({"nodeServiceEvents": answer})


async def add(service: BalancerService, request: Request) -> Response:
    """Accept new nodes, all or none; they are ONLINE until the monitor has found otherwise (CLB docs, add nodes)."""
    body = await read(request, NodesBody)
    if not body.nodes:
        raise validation_failure(["Must provide at least one node."])
    new = new_nodes(body.nodes, service.next_id)
    balancer = service.mutable(request.path_params["balancer_id"])
    clb_rules.may_add_nodes(balancer, new, service.node_limit)
    service.change(replace(balancer, nodes=(*balancer.nodes, *new)))
    return JSONResponse({"nodes": [clb_shapes.accepted_node(node) for node in new]}, ACCEPTED)


async def update(service: BalancerService, request: Request) -> Response:
    """Accept another condition, weight or type of one node."""
    body = await read(request, NodeBody, "node")
    refuse_unchangeable([body])
    if body.id is not None:
        raise validation_failure(["Node id field cannot be modified."])
    accept_changes(service, request, {request.path_params["node_id"]: body})
    return Response(status_code=ACCEPTED)


async def update_many(service: BalancerService, request: Request) -> Response:
    """Accept other conditions, weights and types of several nodes in one change (CLB docs, update nodes)."""
    body = await read(request, NodesBody)
    bodies = {node.id: node for node in body.nodes if node.id is not None}
    if not bodies or len(bodies) < len(body.nodes):
        raise validation_failure(["Must provide a node id for each node to update, each of them once."])
    refuse_unchangeable(body.nodes)
    changed = accept_changes(service, request, bodies)
    return JSONResponse({"nodes": [clb_shapes.updated_node(node) for node in changed]}, ACCEPTED)


def accept_changes(service: BalancerService, request: Request, bodies: dict[int, NodeBody]) -> list[Node]:
    """Change nodes; an unknown one is refused before the load balancer's status is looked at."""
    nodes = found(service.undeleted(request.path_params["balancer_id"]), bodies)
    balancer = service.mutable(request.path_params["balancer_id"])
    changed = [changed_node(node, bodies[node.id]) for node in nodes]
    for node in changed:
        balancer = balancer.with_node(node)
    clb_rules.may_have_nodes(balancer, balancer.nodes)
    service.change(balancer)
    return changed


def found(balancer: LoadBalancer, wanted: dict[int, NodeBody] | list[int]) -> list[Node]:
    """Find these nodes.

    :raises Fault: 404, one of them is not there.
    """
    nodes = []
    for node_id in wanted:
        node = balancer.node(node_id)
        if node is None:
            raise no_node_to_change(balancer.id, node_id)
        nodes.append(node)
    return nodes


async def delete(service: BalancerService, request: Request) -> Response:
    """Accept the removal of one node."""
    node_id = request.path_params["node_id"]
    found(service.undeleted(request.path_params["balancer_id"]), [node_id])
    balancer = service.mutable(request.path_params["balancer_id"])
    service.change(balancer.without_nodes({node_id}))
    return Response(status_code=ACCEPTED)


async def delete_many(service: BalancerService, request: Request) -> Response:
    """Accept the removal of up to ten nodes, all or none (CLB docs, bulk-delete nodes)."""
    wanted = ids(request.query_params)
    if not wanted:
        raise bad_request(clb_rules.NO_IDS)
    balancer = service.undeleted(request.path_params["balancer_id"])
    clb_rules.may_delete_nodes(balancer, wanted)
    service.change(balancer.without_nodes(set(wanted)))
    return Response(status_code=ACCEPTED)
