"""The fields that the real Cloud Load Balancers v1.0 answer with.

Sources: recordings of the service (apache-libcloud's fixtures, 2011 to 2013) and the developer guide's samples, whose
quoted numbers are sloppy: the types are those of the recordings, or of the server's source.
"""

from tests.localcloud.shapes import Table, table

_SUMMARY = """
    id int
    name string
    protocol string
    port int
    algorithm string
    status string
    timeout int
    created object
        time time
    updated object
        time time
    virtualIps array
        id int
        address string
        type string
        ipVersion string
"""
_MONITOR = """
    type string
    delay int
    timeout int
    attemptsBeforeDeactivation int
    path? string
    statusRegex? string
    bodyRegex? string
    hostHeader? string
"""
_NODE = """
    id int
    address string
    port int
    condition string
    status string
"""


def _deeper(text: str) -> str:
    return text.replace("\n    ", "\n        ")


_WHOLE = f"""
loadBalancer object
{_SUMMARY}
    halfClosed bool
    cluster object
        name string
    connectionLogging object
        enabled bool
    sourceAddresses object
        ipv6Public string
        ipv4Servicenet string
        ipv4Public string
    nodes? array
{_deeper(_NODE)}
"""
_STATS = ("connectTimeOut", "connectError", "connectFailure", "dataTimedOut", "keepAliveTimedOut", "maxConn")
_COUNTERS = "\n".join(f"{name}{ssl} int" for name in (*_STATS, "currentConn") for ssl in ("", "Ssl"))

DOCUMENTED: dict[str, Table] = {
    "GET /loadbalancers": table(f"loadBalancers array\n{_SUMMARY}\n    nodeCount int"),
    "GET /loadbalancers?nodeaddress=A": table(
        """
loadBalancers array
    id int
    name string
    status string
"""
    ),
    "POST /loadbalancers": table(f"{_WHOLE}\n        weight int"),
    "GET /loadbalancers/{id}": table(
        f"""
{_WHOLE}
        weight? int
    healthMonitor? object
{_deeper(_MONITOR)}
    sessionPersistence? object
        persistenceType string
"""
    ),
    "GET /loadbalancers/{id} (deleted)": table(
        """
loadBalancer object
    id int
    name string
    status string
    created object
        time time
    updated object
        time time
"""
    ),
    "GET /loadbalancers/{id}/nodes": table(f"nodes array\n{_NODE}\n    type string\n    weight? int"),
    "POST /loadbalancers/{id}/nodes": table(f"nodes array\n{_NODE}\n    type string\n    weight int"),
    "GET /loadbalancers/{id}/nodes/{node}": table(f"node object\n{_NODE}\n    type string\n    weight? int"),
    "GET /loadbalancers/{id}/nodes/events": table(
        """
nodeServiceEvents array
    id int
    nodeId int
    loadbalancerId int
    accountId int
    author string
    title string
    description string
    detailedMessage string
    category string
    type string
    severity string
    relativeUri string
    created time
"""
    ),
    "GET /loadbalancers/{id}/virtualips": table(
        """
virtualIps array
    id int
    address string
    type string
    ipVersion string
"""
    ),
    "GET /loadbalancers/{id}/healthmonitor": table(f"healthMonitor object\n{_MONITOR}"),
    "GET /loadbalancers/{id}/sessionpersistence": table("sessionPersistence object\n    persistenceType string"),
    "GET /loadbalancers/{id}/metadata": table(
        """
metadata array
    id int
    key string
    value string
"""
    ),
    "GET /loadbalancers/{id}/stats": table(_COUNTERS),  # flat in the guide of 2024, in an object of 2014's
    "GET /loadbalancers/protocols": table("protocols array\n    name string\n    port int"),
    "GET /loadbalancers/algorithms": table("algorithms array\n    name string"),
    "GET /loadbalancers/absolutelimits": table("absolute array\n    name string\n    value int"),
}
