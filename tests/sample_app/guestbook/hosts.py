"""Which Host headers the site answers to: every IP address, and the names in ALLOWED_HOSTS."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.request import split_domain_port, validate_host


def known_hosts_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 400 to a name that nobody gave this site, as Django does for ALLOWED_HOSTS."""

    def answer(request: HttpRequest) -> HttpResponse:
        host = split_domain_port(request.get_host())[0]
        if _is_address(host) or validate_host(host, settings.NAMED_HOSTS):
            return get_response(request)
        return HttpResponseBadRequest(f"This site is not called {host!r}: add it to ALLOWED_HOSTS.", "text/plain")

    return answer


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
