"""The customer's own page for staff to read: drawn by the customer's view, with everything dead that one could press.

The view runs with a request made up here: the customer's, without cookies, session or address of theirs, in a
transaction that the database lets change nothing. Whatever staff see there the customer sees now, and no more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.safestring import SafeString, mark_safe

from onboarding.models import Application
from portal.errors import NotFound
from portal.models import User
from portal.permissions import can_do


@dataclass(frozen=True)
class CustomersPage:
    """A page that can be looked at. What the customer types is shown on none of them."""

    name: str
    label: str
    #: The customer's view, and others that lead to it.
    view: str
    #: Where it is for the customer of an application; "" for who has none.
    address: Callable[[Application], str]
    also: tuple[str, ...] = ()
    #: What staff must be allowed besides looking.
    needs: str = "customer.view_as"


def _of_application(view: str) -> Callable[[Application], str]:
    return lambda application: reverse(view, args=[application.pk])


_pages = [
    CustomersPage(
        "application", "Where it stands", "customer:application", _of_application("customer:application")
    ),
    CustomersPage("home", "All accounts", "customer:home", lambda _: reverse("customer:home")),
    CustomersPage("papers", "Papers", "customer:documents", _of_application("customer:documents")),
    CustomersPage("details", "Details", "customer:details", _of_application("customer:details")),
]
#: Marks a look in the request that is made up, where no caller can write it.
_LOOK = "portal.look"
#: A page may lead on to another; further than that nobody follows.
MOST_TURNS = 3


def register(page: CustomersPage) -> None:
    """Have staff look at a page of another app too; called once, when the app starts."""
    if page not in _pages:
        _pages.append(page)


def is_look(request: HttpRequest) -> bool:
    """Whether staff look at the page, so that nothing may be written or asked of the provider for it."""
    return _LOOK in request.META


def pages(viewer: User, application: Application) -> dict[str, CustomersPage]:
    """The pages of the customer that the viewer may look at and that there are, by their names."""
    return {page.name: page for page in _pages if can_do(viewer, page.needs) and page.address(application)}


def shown(viewer: User, application: Application, page: str) -> tuple[str, SafeString]:
    """The page that the customer comes to now, which may be another, and what stands on it.

    Raises NotFound for a page that is not shown, to this viewer or at all.
    """
    there = pages(viewer, application)
    if page not in there:
        raise NotFound("This page of the customer cannot be shown.")
    by_view = _by_view(there)
    customer, address = application.customer.user, there[page].address(application)
    for _ in range(MOST_TURNS):
        match = _resolved(address)
        name = match.view_name if match else ""
        if match is None or name not in by_view:
            # The customer is led to a form: what they have typed there is theirs alone.
            address, page = there["home"].address(application), "home"
            continue
        page = by_view[name].name
        response = _answer(match, _request(customer, address))
        if response.status_code in {301, 302}:
            address = urlsplit(response["Location"]).path
            continue
        return page, dead(response.content.decode(), application, there)
    raise NotFound("The customer has no such page now.")


def _by_view(there: dict[str, CustomersPage]) -> dict[str, CustomersPage]:
    return {view: page for page in there.values() for view in (page.view, *page.also)}


def _resolved(address: str) -> Any:
    try:
        return resolve(address)
    except Resolver404:
        return None


def _request(customer: User, address: str) -> HttpRequest:
    request = HttpRequest()
    request.method = "GET"
    request.path = request.path_info = address
    request.META = {"SERVER_NAME": settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "localhost"}
    request.META |= {"SERVER_PORT": "443", _LOOK: "yes"}
    request.user = customer
    request.session = {}  # type: ignore[assignment]  # nothing is remembered
    return request


def _answer(match: Any, request: HttpRequest) -> HttpResponse:
    """The view's answer; whatever it would have written is refused by the database and undone."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        try:
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Http404 as error:
            raise NotFound("The customer has no such page now.") from error
        finally:
            transaction.set_rollback(True)
    return response


# --- Making it dead -----------------------------------------------------------------------------------------

_FIELDS = {"input", "select", "textarea", "button"}
_VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
#: Gone with all that stands in them.
_DROPPED = {"script", "style", "template", "iframe", "object"}


def dead(page: str, application: Application, there: dict[str, CustomersPage]) -> SafeString:
    """What stands in the page's main part, without anything that acts: no form, script or link out of it, but to the
    pages that are `there`."""
    parser = _Dead(application, there)
    parser.feed(page)
    parser.close()
    # Every name and value was escaped by the template that drew it, and attributes again here.
    return mark_safe("".join(parser.out))  # noqa: S308


class _Dead(HTMLParser):
    def __init__(self, application: Application, there: dict[str, CustomersPage]) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._application = application
        self._by_view = _by_view(there)
        self._inside = 0
        self._dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "main":
            self._inside += 1
            return
        if not self._inside:
            return
        if tag in _DROPPED:
            self._dropped += 1
        if self._dropped:
            return
        given = {name: value or "" for name, value in attrs if not _acts(name)}
        if tag in _FIELDS and given.get("type") == "hidden":
            return
        if tag == "img" and not given.get("src", "").startswith(settings.STATIC_URL):
            # A picture of a paper: it is opened on the staff's own page, where looking is recorded.
            self.out.append("<span>Picture</span>")
            return
        self._open("div" if tag == "form" else tag, self._changed(tag, given))

    def _changed(self, tag: str, given: dict[str, str]) -> dict[str, str]:
        if tag == "form":
            return {name: value for name, value in given.items() if name == "class"}
        if tag in _FIELDS:
            return {name: value for name, value in given.items() if name != "formaction"} | {"disabled": ""}
        if tag == "a":
            url = self._here(given.pop("href", ""))
            given.pop("target", None)
            return given | ({"href": url} if url else {"role": "link", "aria-disabled": "true"})
        return given

    def _here(self, address: str) -> str:
        """Where staff read what the link leads to; "" where they do not."""
        match = _resolved(urlsplit(address).path) if address.startswith("/") else None
        page = self._by_view.get(match.view_name) if match else None
        if match is None or page is None:
            return ""
        # Of another account of theirs it leads nowhere.
        if match.kwargs and urlsplit(address).path != page.address(self._application):
            return ""
        return reverse("staff:as_customer_page", args=[self._application.pk, page.name])

    def _open(self, tag: str, attrs: dict[str, str]) -> None:
        written = "".join(f' {name}="{escape(value)}"' for name, value in attrs.items())
        self.out.append(f"<{tag}{written}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._inside -= 1
        elif not self._inside:
            return
        elif tag in _DROPPED:
            self._dropped = max(0, self._dropped - 1)
        elif not self._dropped and tag not in _VOID:
            self.out.append(f"</{'div' if tag == 'form' else tag}>")

    def handle_data(self, data: str) -> None:
        if self._inside and not self._dropped:
            self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def _acts(name: str) -> bool:
    """Whether scripts act upon an attribute of this name, or it is one."""
    return name.startswith(("hx-", "on", "data-", "form")) or name in {
        "action",
        "method",
        "autofocus",
        "srcdoc",
    }
