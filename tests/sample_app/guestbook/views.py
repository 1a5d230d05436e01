"""The pages: the guestbook, a health check, and a slow answer to try draining with."""

import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from guestbook.forms import SignForm, SlowForm
from guestbook.health import Health
from guestbook.models import Entry, Heartbeat

NEWEST = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show the newest entries, and take a new one."""
    form = SignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.server = settings.DEPLOYMENT.server
        form.instance.release = settings.DEPLOYMENT.release
        form.save()
        return redirect("page")
    context = {
        "form": form,
        "entries": Entry.objects.exclude(review=Entry.Review.HIDDEN)[:NEWEST],
        "workers": Heartbeat.fresh(),
        "deployment": settings.DEPLOYMENT,
    }
    return render(request, "guestbook/page.html", context, status=400 if form.errors else 200)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when this server can serve visitors, else 503; the body says why, and who answers."""
    health = Health.observe()
    body = {
        "status": "ok" if health.fit else "unfit",
        "app": settings.DEPLOYMENT.app,
        "release": settings.DEPLOYMENT.release,
        "generation": settings.DEPLOYMENT.generation,
        "server": settings.DEPLOYMENT.server,
        "database": health.database,
        "pending_migrations": list(health.pending_migrations),
    }
    return JsonResponse(body, status=200 if health.fit else 503)


@never_cache
@require_safe
def slow(request: HttpRequest) -> JsonResponse:
    """Take `?seconds=` (0 to 10) to answer, the way a report or an upload would."""
    form = SlowForm(request.GET)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    time.sleep(form.cleaned_data["seconds"])
    return JsonResponse({"slept": form.cleaned_data["seconds"], "server": settings.DEPLOYMENT.server})
