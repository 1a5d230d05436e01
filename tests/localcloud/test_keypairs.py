"""Keypairs."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tasks.localcloud.compute.keypairs import Keypairs, fingerprint_of, generate
from tasks.localcloud.compute.refusals import BadRequest, Conflict, Forbidden, NotFound
from tests.localcloud.cloud import ED25519

KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@pytest.mark.parametrize("kind", KEYS)
def test_kinds_of_keys(kind: str):
    """Ed25519, RSA and ECDSA keys can be imported (nova/crypto.py, generate_fingerprint)."""
    line = KEYS[kind]().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    assert Keypairs().add("deploy", f"{line} me@laptop").public_key == f"{line} me@laptop"


def test_the_fingerprint_is_the_md5_of_the_blob():
    """A fingerprint is what `ssh-keygen -l -E md5` prints."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"  # GitHub's own

    assert fingerprint_of(key) == "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd"


@pytest.mark.parametrize("text", ["", "ssh-rsa", "ssh-rsa AAAA", "nonsense AAAAB3NzaC1yc2E=", "ssh-ed25519 Zürich x"])
def test_what_is_no_key_is_refused(text: str):
    """Anything but an OpenSSH public key is a bad request (api-ref, keypairs, POST: 400)."""
    with pytest.raises(BadRequest):
        Keypairs().add("deploy", text)


@pytest.mark.parametrize("name", ["", " deploy", "de/ploy", "x" * 256])
def test_unsafe_names_are_refused(name: str):
    """A name has letters, digits, spaces and - _ . @, at most 255 of them."""
    with pytest.raises(BadRequest):
        Keypairs().add(name, ED25519)


def test_a_name_is_given_once():
    """A name that is taken is a conflict, also with the same key (api-ref, keypairs, POST: 409)."""
    keypairs = Keypairs()
    keypairs.add("deploy", ED25519)

    with pytest.raises(Conflict, match="Key pair 'deploy' already exists"):
        keypairs.add("deploy", ED25519)


def test_there_is_a_quota():
    """More keypairs than the quota allows are forbidden (api-ref, keypairs, POST: 403)."""
    keypairs = Keypairs(limit=1)
    keypairs.add("one", ED25519)

    with pytest.raises(Forbidden):
        keypairs.add("two", ED25519)


def test_a_removed_keypair_is_gone():
    """A removed keypair cannot be found, nor removed again."""
    keypairs = Keypairs()
    keypairs.add("deploy", ED25519)
    keypairs.remove("deploy")

    with pytest.raises(NotFound):
        keypairs.remove("deploy")


def test_a_generated_pair_fits_together():
    """A generated pair is RSA with 2048 bits, and its public half can be imported."""
    private, public = generate("deploy")

    assert private.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert Keypairs().add("deploy", public).public_key.startswith("ssh-rsa ")
