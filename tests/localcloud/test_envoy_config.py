"""Frontends as Envoy's configuration: what can be said without running it."""

from tasks.localcloud.proxy.config import cluster, endpoints
from tasks.localcloud.proxy.frontends import Algorithm, Backend, Condition, Endpoint, Frontend, Stickiness, Traffic
from tasks.localcloud.proxy.listeners import listener


def frontend(**changes) -> Frontend:
    """Describe a frontend."""
    plain = {
        "name": "web",
        "listens": Endpoint(address="127.9.1.1", port=8080),
        "traffic": Traffic.HTTP,
        "algorithm": Algorithm.RANDOM,
        "idle_seconds": 45,
    }
    return Frontend(**{**plain, **changes})


def backend(last: int, **changes) -> Backend:
    """Describe a backend."""
    return Backend(endpoint=Endpoint(address=f"127.9.2.{last}", port=8000), **changes)


def manager(shown: Frontend) -> dict:
    """Show what is done with connections."""
    return listener(shown)["filter_chains"][0]["filters"][0]["typed_config"]


def test_every_condition_has_a_meaning_for_envoy():
    """No condition is left to Envoy's defaults, and only ENABLED is healthy."""
    backends = tuple(backend(number, condition=condition) for number, condition in enumerate(Condition))
    [first, _] = endpoints(frontend(backends=backends))["endpoints"]

    assert [each["health_status"] for each in first["lb_endpoints"]] == ["HEALTHY", "DRAINING", "UNHEALTHY"]


def test_every_algorithm_has_a_policy():
    """The five algorithms of the service become three policies; weights make the difference."""
    policies = {each: cluster(frontend(algorithm=each), "/d", 1) for each in Algorithm}

    assert policies[Algorithm.RANDOM]["lb_policy"] == "RANDOM"
    assert policies[Algorithm.ROUND_ROBIN]["lb_policy"] == "ROUND_ROBIN"
    assert policies[Algorithm.WEIGHTED_ROUND_ROBIN]["lb_policy"] == "ROUND_ROBIN"
    for algorithm in (Algorithm.LEAST_CONNECTIONS, Algorithm.WEIGHTED_LEAST_CONNECTIONS):
        assert "LeastRequest" in str(policies[algorithm]["load_balancing_policy"])


def test_weights_reach_envoy_with_weighted_algorithms_only():
    """A weight is stored and ignored unless the algorithm is weighted (CLB docs, update nodes)."""
    for algorithm in Algorithm:
        [first, _] = endpoints(frontend(algorithm=algorithm, backends=(backend(1, weight=7),)))["endpoints"]

        assert first["lb_endpoints"][0]["load_balancing_weight"] == (7 if algorithm.weighted else 1)


def test_the_idle_time_out_is_the_only_one_for_requests():
    """The load balancer's timeout ends idle connections and streams; a long request is not ended by Envoy's 15 s."""
    shown = manager(frontend())

    assert shown["stream_idle_timeout"] == "45s"
    assert shown["common_http_protocol_options"] == {"idle_timeout": "45s"}
    assert shown["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["timeout"] == "0s"


def test_only_requests_that_reached_nobody_are_tried_again():
    """No retry on anything that a backend may have seen, so that a POST is never done twice."""
    route = manager(frontend())["route_config"]["virtual_hosts"][0]["routes"][0]["route"]

    assert route["retry_policy"]["retry_on"] == "connect-failure,reset-before-request"


def test_a_backend_connection_carries_one_request():
    """No request can meet a keep-alive connection that its app server is just closing."""
    options = cluster(frontend(), "/d", 1)["typed_extension_protocol_options"].values()

    assert [each["common_http_protocol_options"]["max_requests_per_connection"] for each in options] == [1]


def test_bad_backends_are_never_used_for_want_of_better_ones():
    """Envoy's panic mode, which sends traffic to unhealthy hosts, is off."""
    assert cluster(frontend(), "/d", 1)["common_lb_config"]["healthy_panic_threshold"] == {"value": 0}


def test_changed_conditions_take_effect_at_once():
    """Envoy does not hold changes of health back, so that a change taken is a change made."""
    assert cluster(frontend(), "/d", 1)["common_lb_config"]["update_merge_window"] == "0s"


def test_only_cookies_set_a_cookie():
    """The session cookie appears with cookie stickiness alone, for the browser's session and every path."""
    names = {
        stickiness: [each["name"] for each in manager(frontend(stickiness=stickiness))["http_filters"]]
        for stickiness in (None, *Stickiness)
    }

    assert names[None] == names[Stickiness.SOURCE_IP] == ["envoy.filters.http.router"]
    assert names[Stickiness.COOKIE] == ["envoy.filters.http.stateful_session", "envoy.filters.http.router"]


def test_passed_through_bytes_have_no_http_in_them():
    """A TCP frontend forwards bytes, with the load balancer's timeout as idle time-out."""
    proxy = manager(frontend(traffic=Traffic.TCP))

    assert proxy["@type"].endswith("TcpProxy")
    assert proxy["idle_timeout"] == "45s"
