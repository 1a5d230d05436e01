"""Reading host keys off a console (cloud-init, keys_to_console)."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from tasks.hosts.console_keys import BEGIN, END, HostKey, host_keys

# A key that ssh-keygen made, and what `ssh-keygen -lf` says of it.
ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIM7XFRCycon9whIzcgUJnEZIBCDZnGjRwsrdr3vPfHqs"
FINGERPRINT = "SHA256:EpcWon/Vpq25RvEDN/o9BsCp4qQpKRgYyL9Mxqdin24"


def field(content: bytes) -> bytes:
    """Write a field of SSH's wire format."""
    return len(content).to_bytes(4) + content


def a_key(kind: str, *fields: bytes) -> HostKey:
    """Build a key of these fields."""
    blob = b"".join(map(field, (kind.encode(), *fields)))
    return HostKey(type=kind, text=base64.b64encode(blob).decode())


some_bytes = st.binary(min_size=1, max_size=80)
keys = st.one_of(
    st.builds(lambda point: a_key("ssh-ed25519", point), st.binary(min_size=32, max_size=32)),
    st.builds(lambda point: a_key("ecdsa-sha2-nistp256", b"nistp256", point), some_bytes),
    st.builds(lambda e, n: a_key("ssh-rsa", e, n), some_bytes, some_bytes),
)
noise = st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(
    lambda text: "-----" not in text and "ssh-" not in text and "ecdsa-" not in text
)


def line_of(key: HostKey) -> str:
    """Write a key as a public key file has it."""
    return f"{key.type} {key.text} root@web-1"


def console_of(*lines: str) -> str:
    """Put lines between the marks."""
    return "\r\n".join([BEGIN, *lines, END, ""])


@given(st.lists(keys, min_size=1), st.lists(noise), st.data())
def test_keys_are_found_among_noise(wanted, lines, data):
    """Every key of a block is found, in order, whatever other lines the console mixes in."""
    mixed = [line_of(key) for key in wanted]
    for line in lines:
        mixed.insert(data.draw(st.integers(0, len(mixed))), line)

    assert host_keys("boot\n" + console_of(*mixed) + "login: ") == tuple(wanted)


@given(st.text())
def test_any_text_can_be_read(text):
    """No text, however broken, is more than a console without keys."""
    assert host_keys(text) == ()


@given(keys, st.data())
def test_a_key_with_a_part_missing_is_no_key(key, data):
    """A key that was cut short, anywhere, is not taken for another one."""
    cut = key.text[: data.draw(st.integers(0, len(key.text) - 1))]
    assert cut.rstrip("=") == key.text.rstrip("=") or host_keys(console_of(f"{key.type} {cut}")) == ()


@given(keys, keys)
def test_the_last_block_counts(old, new):
    """After a second boot that printed keys again, the last block counts; one that is not complete does not."""
    assert host_keys(console_of(line_of(old)) + console_of(line_of(new))) == (new,)
    assert host_keys(console_of(line_of(old)) + f"{BEGIN}\n{line_of(new)}\n") == (old,)


@given(keys)
def test_keys_outside_a_block_do_not_count(key):
    """A key that is not between the marks is not the server's word."""
    assert host_keys(line_of(key) + "\n" + console_of() + line_of(key)) == ()


@given(keys)
def test_a_line_may_begin_with_what_the_logger_adds(key):
    """A prefix in front of a key, such as a kernel time or a logger's, does not hide it."""
    assert host_keys(console_of(f"<14>Jan  6 15:27:31 cloud-init: {line_of(key)}")) == (key,)


def test_types_that_nobody_takes_any_more():
    """A DSA key, and a key that is not of the type that its line says, are skipped."""
    dsa = a_key("ssh-dss", b"p", b"q", b"g", b"y")
    liar = HostKey(type="ssh-rsa", text=ED25519)

    assert host_keys(console_of(line_of(dsa), line_of(liar))) == ()


def test_a_fingerprint_is_what_ssh_keygen_shows():
    """Fingerprints can be compared with those that other tools show."""
    assert HostKey(type="ssh-ed25519", text=ED25519).fingerprint == FINGERPRINT
