"""What nobody else may know: looked for in everything that deploys, clouds and servers print or write down."""

import base64
import gzip
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stories.conftest import an_operator_on
from tests.stories.operators import Operator

SETTINGS = """
count = 1
bootstrap = "cloud-init"
secrets = ["TOKEN"]
commands.test = ""
"""
FAILING = f'{SETTINGS}commands.migrate = "echo no such table; false"\n'
REFUSED = f'{SETTINGS}server.image = "Nothing"\n'
ENV_FILE = re.compile(r"local-cloud/machines/.+/srv/app/env")
STAGE1 = "var/lib/disposable-servers/stage1"
ARCHIVE = re.compile(rb"<<'ARCHIVE'[^\n]*\n(.+?)\nARCHIVE\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Told:
    """An operator whose app has a secret, and what their deploys have printed."""

    operator: Operator
    token: str
    printed: str

    @property
    def state(self) -> Path:
        """Give the folder in which deploys and the local cloud keep all they keep."""
        return self.operator.folder / "disposable-servers"

    def files_with(self, text: str) -> set[str]:
        """Give the files below the state folder that have a text in them."""
        files = [path for path in self.state.rglob("*") if path.is_file() and not path.is_symlink()]
        return {str(path.relative_to(self.state)) for path in files if text.encode() in _content(path)}


def _content(path: Path) -> bytes:
    with suppress(FileNotFoundError):  # the app's own files come and go
        return path.read_bytes()
    return b""


@pytest.fixture(scope="module")
def told(face: str, caches: Path) -> Iterator[Told]:
    """Deploy an app that has a secret: well, then with migrations that fail, then to an image that is not there."""
    token = secrets.token_hex(16)
    with pytest.MonkeyPatch.context() as patch, an_operator_on(face, caches) as someone:
        patch.setenv("TOKEN", token)
        runs = [someone.with_settings(settings).fab("deploy") for settings in (SETTINGS, FAILING, REFUSED)]
        looks = [someone.manages(*task) for task in (("status",), ("plan",), ("local.logs", "--lines", "9999"))]
        assert [ran.code for ran in runs] == [0, 4, 3], runs[0].text
        yield Told(operator=someone, token=token, printed="".join(ran.text for ran in (*runs, *looks)))


def test_the_apps_secret_is_with_the_app_alone(told: Told):
    """An app's secret is in its env file on each server; no journal, log, console or other file has it."""
    found = told.files_with(told.token)

    assert found
    assert [path for path in found if not ENV_FILE.fullmatch(path)] == []
    assert told.token not in told.printed


def test_credentials_are_where_clients_read_them(told: Told):
    """Password and API key of the cloud are in the two files that are written for its clients, and nowhere else."""
    access = told.operator.local_status()

    assert told.files_with(access["password"]) == {"local-cloud/clouds.yaml", "local-cloud/cloud.json"}
    assert told.files_with(access["api_key"]) == {"local-cloud/cloud.json"}
    assert access["password"] not in told.printed
    assert access["api_key"] not in told.printed


def test_private_keys_are_printed_nowhere(told: Told):
    """No private key is printed, or in the record of any deploy."""
    assert "PRIVATE KEY" not in told.printed
    assert [path for path in told.files_with("PRIVATE KEY") if path.startswith("deploys/")] == []


def test_user_data_has_no_secret(told: Told):
    """What the cloud was given for the server's first boot has no secret in it, packed or not."""
    access = told.operator.local_status()
    [program] = [path.read_bytes() for path in told.state.rglob(STAGE1)]
    unpacked = gzip.decompress(base64.b64decode(ARCHIVE.findall(program)[0]))

    assert b"10-user.sh" in unpacked
    for secret in (told.token, access["password"], access["api_key"]):
        assert secret.encode() not in program + unpacked


def test_metadata_has_no_secret(told: Told):
    """What the cloud tells about a server and its keypair has no secret in it."""
    nova = told.operator.cloud().nova
    shown = str([one.to_dict() for one in (*nova.servers.list(), *nova.keypairs.list())])

    assert "guestbook-production" in shown
    assert told.token not in shown
    assert "PRIVATE" not in shown
