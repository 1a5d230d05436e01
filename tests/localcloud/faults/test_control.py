"""The control API: who may use it, and what it says."""

import httpx
import pytest

from tasks.localcloud.faults.names import FaultName
from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio

EVERYTHING = [(method, path) for path in ("/faults", "/holds") for method in ("GET", "POST", "DELETE")]


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Bearer"}])
async def test_nobody_gets_in_without_the_token(cloud: Cloud, method: str, path: str, header: dict[str, str]):
    """Without the control token every path is 401, and nothing is armed; a token of the cloud's users opens nothing."""
    answer = await cloud.http.request(method, f"/control{path}", json={"name": "api-500"}, headers=header)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert cloud.bad_days.faults.all() == []


async def test_the_control_token_opens_nothing_else(cloud: Cloud, control: httpx.AsyncClient):
    """With the control token alone nobody reaches the services."""
    answer = await control.get("http://127.9.0.1:5000/compute/v2.1/servers")

    assert answer.status_code == 401


async def test_the_token_stays_out_of_sight(cloud: Cloud):
    """The token does not show when the cloud's parts are printed, and differs from cloud to cloud."""
    assert cloud.bad_days.control_token not in repr(cloud.services)
    assert cloud.bad_days.control_token != type(cloud.bad_days)().control_token


async def test_a_fault_is_armed_with_what_was_asked_for(control: httpx.AsyncClient):
    """What is armed is answered, and listed from then on."""
    wanted = {"name": "build-slow", "times": 0, "seconds": 2.5, "match": "web-1", "after": 3}
    answer = await control.post("/faults", json=wanted)

    assert answer.status_code == 201
    armed = {**wanted, "passed": 0, "struck": 0, "strikes": []}
    assert answer.json() == {"fault": armed}
    assert (await control.get("/faults")).json()["faults"] == [armed]


async def test_a_name_is_enough(control: httpx.AsyncClient):
    """Without more, a fault strikes once, at the next occasion, for ten seconds."""
    answer = (await control.post("/faults", json={"name": "node-flaps"})).json()["fault"]

    assert (answer["times"], answer["seconds"], answer["match"], answer["after"]) == (1, 10.0, "", 0)


async def test_the_list_explains_every_fault(control: httpx.AsyncClient):
    """Whoever lists the faults learns all names and what each does."""
    known = (await control.get("/faults")).json()["known"]

    assert set(known) == set(FaultName)


async def test_the_list_says_what_each_has_struck(cloud: Cloud, control: httpx.AsyncClient):
    """Strikes are counted and named where people see them."""
    await control.post("/faults", json={"name": "api-500", "times": 3})
    cloud.bad_days.faults.take(FaultName.API_500, about="something")
    [armed] = (await control.get("/faults")).json()["faults"]

    assert (armed["struck"], armed["strikes"]) == (1, ["something"])


@pytest.mark.parametrize(("query", "cleared"), [({}, 2), ({"name": "api-500"}, 1), ({"name": "api-503"}, 0)])
async def test_faults_are_cleared(control: httpx.AsyncClient, query: dict[str, str], cleared: int):
    """All are cleared, or those of one name, and the answer says how many."""
    for name in ("api-500", "build-dies"):
        await control.post("/faults", json={"name": name})
    answer = await control.delete("/faults", params=query)

    assert answer.json() == {"cleared": cleared}
    assert len((await control.get("/faults")).json()["faults"]) == 2 - cleared


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_an_unknown_name_is_answered_with_the_known_ones(control: httpx.AsyncClient, method: str):
    """400, with the name that was probably meant and all there are."""
    answer = await control.request(method, "/faults", json={"name": "aip-500"}, params={"name": "aip-500"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("there is no fault 'aip-500'. Did you mean api-500? Known: build-dies,")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"name": "api-500", "times": -1},
        {"name": "api-500", "seconds": -1},
        {"name": "api-500", "seconds": "long"},
        {"name": "api-500", "after": -1},
        {"name": "api-500", "match": 5},
        {"name": "api-500", "often": 1},
    ],
)
async def test_a_malformed_fault_is_refused(cloud: Cloud, control: httpx.AsyncClient, body: object):
    """400, and nothing is armed."""
    answer = await control.post("/faults", json=body)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert cloud.bad_days.faults.all() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request": 0, "moment": "before"},
        {"request": 1, "moment": "during"},
        {"request": 1, "moment": "before", "pattern": "("},
    ],
)
async def test_a_malformed_hold_is_refused(cloud: Cloud, control: httpx.AsyncClient, body: object):
    """400, and nothing is armed."""
    assert (await control.post("/holds", json=body)).status_code == 400
    assert cloud.bad_days.holds.armed is None


@pytest.mark.parametrize("wait", ["soon", "-1", "1e9", "nan"])
async def test_a_wait_is_a_number_of_seconds(control: httpx.AsyncClient, wait: str):
    """400 for what is none."""
    assert (await control.get("/holds", params={"wait": wait})).status_code == 400
