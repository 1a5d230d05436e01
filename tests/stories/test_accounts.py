"""Operators with an account at a cloud that is not called local: their credentials, as their provider gives them."""

import json
from dataclasses import replace

from tests.stories.conftest import an_operator_on
from tests.stories.operators import Operator

SETTINGS = """
cloud = "{cloud}"
count = 1
commands.test = ""
server.image = "Local Linux"
server.flavor = "general1-1"
server.ssh_port = 2222
limits.drain = 30
listeners = [{{ name = "http", port = 8080 }}]
"""


def test_rackspace_by_api_key(caches):
    """With a user name and an API key in clouds.yaml the sample app is deployed, and deployed again, to Rackspace."""
    with an_operator_on("rackspace", caches) as someone:
        access = someone.local_status()
        auth = {name: access[name] for name in ("username", "api_key")} | {"auth_url": access["auth_url_v2"]}
        entry = {"auth_type": "rackspace_apikey", "auth": auth, "region_name": access["region"]}
        clouds = someone.folder / "clouds.yaml"
        clouds.write_text(json.dumps({"clouds": {"rax": entry}}))  # JSON is YAML
        deploys_twice(with_variables(someone, "rax", OS_CLIENT_CONFIG_FILE=str(clouds)), access["api_key"])


def test_openstack_by_application_credential(caches):
    """With an application credential in OS_* variables it is deployed, and deployed again, to an OpenStack cloud."""
    with an_operator_on("openstack", caches) as someone:
        access = someone.local_status()
        secret = "a secret of an application"
        session = someone.cloud().session
        wanted = {"application_credential": {"name": "ci", "secret": secret}}
        path = f"/v3/users/{session.get_user_id()}/application_credentials"
        made = session.post(f"{access['auth_url_v3'].removesuffix('/v3')}{path}", json=wanted).json()
        variables = {
            "OS_AUTH_TYPE": "v3applicationcredential",
            "OS_AUTH_URL": access["auth_url_v3"],
            "OS_APPLICATION_CREDENTIAL_ID": made["application_credential"]["id"],
            "OS_APPLICATION_CREDENTIAL_SECRET": secret,
            "OS_REGION_NAME": access["region"],
        }
        deploys_twice(with_variables(someone, "env", **variables), secret)


def with_variables(operator: Operator, cloud: str, **variables: str) -> Operator:
    """Give the operator, with settings that name a cloud, and variables in their environment."""
    prefix = ("env", *(f"{name}={value}" for name, value in variables.items()))
    return replace(operator.with_settings(SETTINGS.format(cloud=cloud)), prefix=prefix)


def deploys_twice(operator: Operator, secret: str) -> None:
    """Expect that two deploys leave one server that serves, and that nothing which was printed has the secret."""
    printed = [operator.manages("deploy").text for _ in range(2)]
    [server] = operator.cloud().servers()

    assert operator.cloud().page().server == server
    assert [text for text in printed if secret in text or "local cloud" in text] == []
    assert [path for path in operator.deploys.rglob("*") if path.is_file() and secret in path.read_text()] == []
