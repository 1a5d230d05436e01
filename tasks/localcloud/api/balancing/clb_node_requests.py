"""Node bodies become nodes, and every wrong field is named at once.

Sentences are the service's own (atlas-lb: NodeValidator, NodesValidator, MetaValidator).
"""

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tasks.localcloud.api.balancing.clb_bodies import MetaBody, NodeBody
from tasks.localcloud.balancing.clb_faults import validation_failure
from tasks.localcloud.balancing.clb_model import Meta, Node, NodeType
from tasks.localcloud.proxy.frontends import Condition, Endpoint

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
PORTS = range(1, 65536)
WEIGHTS = range(1, 101)
META_CHARACTERS = 256


def new_nodes(bodies: Sequence[NodeBody], next_id: Callable[[], int]) -> tuple[Node, ...]:
    """Make nodes of the bodies of a POST.

    :raises Fault: 400, naming everything that is wrong.
    """
    problems = dict.fromkeys(problem for body in bodies for problem in problems_of_new(body))
    places = [(body.address, body.port) for body in bodies]
    if len(set(places)) < len(places):
        problems["Duplicate nodes detected. Please ensure that the ip address and port are unique for each node."] = (
            None
        )
    if problems:
        raise validation_failure(problems)
    return tuple(new_node(body, next_id) for body in bodies)


def new_node(body: NodeBody, next_id: Callable[[], int]) -> Node:
    """Make a node of a body without problems."""
    return Node(
        id=next_id(),
        endpoint=Endpoint(address=body.address or "", port=body.port or 0),
        condition=Condition(body.condition or ""),
        weight=body.weight or 1,
        type=NodeType(body.type or NodeType.PRIMARY),
        metadata=new_metadata(body.metadata or (), next_id),
    )


def changed_node(node: Node, body: NodeBody) -> Node:
    """Change condition, weight and type, as far as the body has them."""
    return replace(
        node,
        condition=Condition(body.condition or node.condition),
        weight=body.weight or node.weight,
        type=NodeType(body.type or node.type),
    )


def refuse_unchangeable(bodies: Sequence[NodeBody]) -> None:
    """Refuse the bodies of a PUT that change what cannot be changed, or nothing.

    :raises Fault: 400, naming everything that is wrong.
    """
    problems = dict.fromkeys(problem for body in bodies for problem in problems_of_change(body))
    if problems:
        raise validation_failure(problems)


def problems_of_new(body: NodeBody) -> Iterator[str]:
    """Say what is wrong with a node to be added."""
    yield from problems_of_values(body)
    if body.id is not None:
        yield "Node id field cannot be modified."
    if body.address is None:
        yield "Must provide a valid ip for the node."
    if body.port is None:
        yield "Must provide a valid port for the node."
    if body.condition is None:
        yield "Must provide a valid condition for the node."
    yield from (problem for item in body.metadata or () for problem in problems_of_meta(item))


def problems_of_change(body: NodeBody) -> Iterator[str]:
    """Say what is wrong with a change of a node."""
    yield from problems_of_values(body)
    if body.address is not None:
        yield "Node ip field cannot be modified."
    if body.port is not None:
        yield "Port field cannot be modified."
    if body.condition is None and body.weight is None and body.type is None:
        yield "The node must have at least one of the following to update: condition, weight, type."


def problems_of_values(body: NodeBody) -> Iterator[str]:
    """Say which values, if they are there, are out of their range."""
    if body.address is not None:
        yield from problems_of_address(body.address)
    if body.port is not None and body.port not in PORTS:
        yield "Node port is invalid. Please specify a valid port."
    if body.condition is not None and body.condition not in set(Condition):
        yield "Node condition is invalid. Please specify a valid condition."
    if body.weight is not None and body.weight not in WEIGHTS:
        yield "Node weight is invalid. Range is 1-100. Please specify a valid weight."
    if body.type is not None and body.type not in set(NodeType):
        yield "Node type is invalid. Please specify a valid type."
    if body.status is not None:
        yield "Node status field cannot be modified."


def problems_of_address(address: str) -> Iterator[str]:
    """Accept loopback addresses, and no others.

    The one deliberate difference from the service, which refuses exactly these: the servers of the local cloud live in
    127.0.0.0/8, and its proxy must never talk to anything outside this machine.
    """
    try:
        local = ipaddress.IPv4Address(address) in LOOPBACK
    except ValueError:
        yield "Node ip is invalid. Please specify a valid ip."
    else:
        if not local:
            yield (
                f"Node ip is invalid. {address} is outside 127.0.0.0/8: this cloud runs on one machine and balances to "
                "its own servers only."
            )


def new_metadata(bodies: Sequence[MetaBody], next_id: Callable[[], int]) -> tuple[Meta, ...]:
    """Make metadata of bodies without problems."""
    return tuple(Meta(id=next_id(), key=body.key or "", value=body.value or "") for body in bodies)


def problems_of_meta(body: MetaBody) -> Iterator[str]:
    """Say what is wrong with a piece of metadata to be added."""
    if body.id is not None:
        yield "Must not specify an id for node meta data"
    if not body.key:
        yield "Must provide a key for the node metadata item."
    if not body.value:
        yield "Must provide a value for the node metadata item."
    if len(body.key or "") > META_CHARACTERS:
        yield f"Node meta key must not exceed {META_CHARACTERS} characters."
    if len(body.value or "") > META_CHARACTERS:
        yield f"Node meta value must not exceed {META_CHARACTERS} characters."
