"""The 127.x plan of a local cloud."""

import errno
import socket

import pytest

from tasks.localcloud.network import CLAIM_PORT, AddressPool, NoAddress, claim_network


def test_two_clouds_have_different_networks():
    """Two clouds that run at the same time never share an address."""
    first, second = claim_network(), claim_network()
    try:
        assert first.api_address != second.api_address
        assert first.private_ips.take() != second.private_ips.take()
    finally:
        first.close()
        second.close()


def test_the_kernel_keeps_a_claim():
    """As long as a cloud lives, nobody else can listen on the port that claims its network; afterwards they can."""
    network = claim_network()
    with socket.socket() as rival:
        with pytest.raises(OSError, match="in use") as refused:
            rival.bind((network.api_address, CLAIM_PORT))
        assert refused.value.errno == errno.EADDRINUSE
        network.close()
        rival.bind((network.api_address, CLAIM_PORT))


def test_addresses_by_kind():
    """The API is at 127.x.0.1, virtual IPs begin at 127.x.1.1 and servers at 127.x.2.1."""
    network = claim_network()
    network.close()
    prefix = network.api_address.removesuffix(".0.1")

    assert network.virtual_ips.take() == f"{prefix}.1.1"
    assert network.private_ips.take() == f"{prefix}.2.1"
    assert not prefix.endswith(".0")


def test_an_address_is_not_reused_soon():
    """An address that was given back comes after all those that were free already."""
    pool = AddressPool(["127.9.2.1", "127.9.2.2", "127.9.2.3"])
    first = pool.take()
    pool.give_back(first)

    assert [pool.take() for _ in range(3)] == ["127.9.2.2", "127.9.2.3", "127.9.2.1"]


def test_an_empty_pool_says_so():
    """When all addresses are in use the next request fails instead of sharing one."""
    pool = AddressPool(["127.9.2.1"])
    pool.take()

    with pytest.raises(NoAddress):
        pool.take()


def test_an_address_can_be_asked_for():
    """An address that is asked for is handed out if it is free; one in use, or of another kind, is refused."""
    pool = AddressPool(["127.9.1.1", "127.9.1.2"])

    assert pool.take_this("127.9.1.2") == "127.9.1.2"
    for address in ("127.9.1.2", "127.9.2.1"):
        with pytest.raises(NoAddress, match=address):
            pool.take_this(address)
    assert pool.take() == "127.9.1.1"
