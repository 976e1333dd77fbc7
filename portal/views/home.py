"""The front door: staff to their queues, customers to their account, everyone else to the welcome page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render


def home(request: HttpRequest) -> HttpResponse:
    """Where signing in leads."""
    user = request.user
    if not user.is_authenticated:
        return render(request, "portal/landing.html")
    return redirect("staff:applications" if user.is_staff_member else "customer:home")
