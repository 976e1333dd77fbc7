"""The page a customer sees: choose a bank, sign in, choose accounts, agree. Hosted, or in a frame of the portal's.

Whoever has the address may go on: it is as unguessable as a link token, so no cookie and no CSRF token is asked for
(a browser sends neither inside a foreign frame).
"""

from pathlib import Path
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from sandbox import config
from sandbox.plaid import banks
from sandbox.state import ItemLink, Json
from sandbox.world import World, world

SCRIPT = Path(__file__).resolve().parent.parent / "static" / "link.js"
#: Steps at which a customer is still on the way.
OPEN = ("bank", "down", "login", "oauth", "accounts", "consent")


@csrf_exempt
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, key: str) -> HttpResponse:
    """One address for all steps; how far the customer came stands in the link."""
    here = world()
    with here.change():
        found = _find(here, key)
        if found is None:
            return render(request, "sandbox/missing.html", status=404)
        if origin := _origin(request.GET.get("origin", "")):
            found.origin = origin
            _reopen(found)
        problem = _go_on(here, found, request) if request.method == "POST" else ""
        if request.method == "POST" and not problem:
            return _allowed(_next(request, found), found)
        return _allowed(_page(request, here, found, problem), found)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def oauth(request: HttpRequest, key: str) -> HttpResponse:
    """The bank's own page, outside of any frame; back to the portal, or to where Link stands."""
    here = world()
    with here.change():
        found = _find(here, key)
        if found is None or _step(here, found) != "oauth":
            return render(request, "sandbox/missing.html", status=404)
        if request.method == "GET":
            context = {"link": found, "bank": banks.INSTITUTIONS[found.institution][0], "users": banks.USERS}
            return _allowed(render(request, "sandbox/plaid_oauth.html", context), found)
        if request.POST.get("do") == "allow" and request.POST.get("username") in banks.USERS:
            found.login = request.POST["username"]
        if _leaves_for_oauth(found):
            return _allowed(_see_other(f"{found.redirect_uri}?oauth_state_id={found.key}"), found)
        return _allowed(_see_other(f"/plaid/link/{key}"), found)


@require_GET
def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SCRIPT.read_bytes(), content_type="text/javascript; charset=utf-8")


def _reopen(found: ItemLink) -> None:
    """A script may open Link again with the token of somebody who left."""
    if found.ended == "exited" and not found.hosted:
        found.ended, found.login, found.accounts = "", "", []
        found.institution = found.institution if found.item else ""


def _find(here: World, key: str) -> ItemLink | None:
    """By the hosted page's key, or by the token a script opens it with."""
    hosted = next((one for one in here.state.links.values() if one.hosted and one.key == key), None)
    return hosted or here.state.links.get(key)


def _step(here: World, found: ItemLink) -> str:
    if found.ended:
        return "ended"
    if found.expires <= here.clock.now():
        return "expired"
    if not found.institution:
        return "bank"
    if found.institution in here.state.banks_down:
        return "down"
    if not found.login:
        return "oauth" if banks.INSTITUTIONS[found.institution][1] else "login"
    if not found.accounts and (not found.item or found.selection):
        return "accounts"
    return "consent"


def _go_on(here: World, found: ItemLink, request: HttpRequest) -> str:
    """Do what was pressed. What is wrong with it, in words for the customer; "" when nothing is."""
    step, do = _step(here, found), request.POST.get("do", "")
    if step not in OPEN:
        return ""
    if do == "exit":
        banks.finish(here, found, ok=False)
    elif do == "back" and not found.item:
        found.institution, found.login, found.accounts = "", "", []
    elif do == "bank" and step == "bank":
        if request.POST.get("institution") not in banks.INSTITUTIONS:
            return "Choose a bank."
        found.institution = request.POST["institution"]
    elif do == "login" and step == "login":
        user, password = request.POST.get("username", "").strip(), request.POST.get("password", "")
        if user not in banks.USERS or password != banks.PASSWORD:
            return "The bank does not know this username and password."
        found.login = user
    elif do == "accounts" and step == "accounts":
        allowed = {account["key"] for account in banks.offered(found)}
        chosen = [key for key in request.POST.getlist("account") if key in allowed]
        if not chosen:
            return "Choose at least one account."
        found.accounts = chosen
    elif do == "consent" and step == "consent":
        banks.finish(here, found, ok=True)
    return ""


def _next(request: HttpRequest, found: ItemLink) -> HttpResponse:
    if found.ended and found.hosted and found.completion:
        return _see_other(found.completion)
    return _see_other(request.path)


def _page(request: HttpRequest, here: World, found: ItemLink, problem: str) -> HttpResponse:
    step = _step(here, found)
    context: Json = {
        "link": found,
        "step": step,
        "problem": problem,
        "key": request.path.rsplit("/", 1)[-1],
        "institutions": [(key, name) for key, (name, _) in banks.INSTITUTIONS.items()],
        "bank": banks.INSTITUTIONS[found.institution][0] if found.institution else "",
        "accounts": banks.offered(found) if step == "accounts" else [],
        "leaves": _leaves_for_oauth(found),
        "result": _result(here, found) if found.ended else None,
    }
    status = 422 if problem else 410 if step == "expired" else 200
    return render(request, "sandbox/plaid_link.html", context, status=status)


def _result(here: World, found: ItemLink) -> Json:
    """What Link's onSuccess or onExit is given. An account's key is `id` there and `account_id` in the calls."""
    bank = here.state.items.get(found.item)
    name = banks.INSTITUTIONS[found.institution][0] if found.institution else None
    kept = ("name", "mask", "type", "subtype", "verification_status")
    return {
        "event": found.ended,
        "public_token": found.public_token,
        "metadata": {
            "institution": {"institution_id": found.institution, "name": name} if name else None,
            "accounts": [
                {"id": account["account_id"], **{part: account[part] for part in kept}}
                for account in (bank.accounts if bank and found.ended == "success" else [])
            ],
            "link_session_id": found.key,
        },
    }


def _leaves_for_oauth(found: ItemLink) -> bool:
    """Whether the bank's page takes the place of the whole portal, as on a telephone."""
    return bool(found.redirect_uri and found.origin and not found.hosted)


def _origin(text: str) -> str:
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}" if config.is_web_address(text) else ""


def _see_other(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def _allowed(response: HttpResponse, found: ItemLink) -> HttpResponse:
    """The page may be framed by who opened it, and its forms may end where the link says."""
    ends = [_origin(address) for address in (found.completion, found.redirect_uri) if _origin(address)]
    forms, framed = " ".join(["'self'", *ends]), found.origin or "'none'"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; base-uri 'none'; "
        f"form-action {forms}; frame-ancestors {framed}"
    )
    return response


urlpatterns = [
    path("plaid/link.js", script, name="plaid_script"),
    path("plaid/link/<str:key>", link, name="plaid_link"),
    path("plaid/oauth/<str:key>", oauth, name="plaid_oauth"),
]
