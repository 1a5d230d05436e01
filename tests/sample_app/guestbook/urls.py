"""Where the pages are."""

from django.urls import path

from guestbook import views

urlpatterns = [
    path("", views.page, name="page"),
    path("healthz", views.healthz, name="healthz"),
    path("slow", views.slow, name="slow"),
]
