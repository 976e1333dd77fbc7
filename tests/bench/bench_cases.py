"""How fast the pages of cases and applications answer at the full size, beside Django's own admin over the same tables.

1,000,000 customers, 200,000 cases and 5,000,000 entries of timelines with CASES_SCALE=1; 1/100 of that otherwise.
Every page goes through the same middleware and test client, so the ratio is what selecting and drawing the page cost.
The admin shows the same columns, offers the same filters, and is asked the same question: once with as many rows as
ours, once with the hundred that it shows unless told otherwise;
the page of one case has no peer in a list, and stands beside the list of cases. With its history it reads what the
5,000,000 entries say of that case, which lie in three tables; so it also stands beside the admin's list of one of the
three, filtered to that case, and beside all three lists, one after another, as whoever wants the same facts from the
admin calls them. Those lists show no more than entries, and count their whole table, as the admin does unless told
otherwise; our page shows the case besides. At last it stands beside these lists as they open, of all entries.

Ours is measured twice: when nothing of the page was drawn before, and when it was (docs/decisions/0032). The number of
queries is asserted, times are not: only ratios travel between machines. What is sent in one message counts as one
query. Run with `make bench`, or `CASES_SCALE=1 pytest -m bench -s tests/bench/bench_cases.py`; with CASES_KEPT=1
and `--reuse-db` beside it the rows stay for the next such run, which then measures at once.
"""

import copy
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django.contrib.admin
import pytest
from django.conf import settings
from django.contrib.admin import ModelAdmin, RelatedOnlyFieldListFilter
from django.contrib.admin.sites import AdminSite
from django.core.cache import caches
from django.db import connection
from django.http import HttpRequest
from django.template import Template
from django.test import Client, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone

from compliance import kinds, list_filters, services
from compliance.models import Case, CaseFact, Queue
from compliance.ordering import ORDERS
from compliance.views.about import MOST_HAPPENINGS
from onboarding import list_rows
from onboarding.cases import duplicates
from onboarding.models import Application, Customer, Owner, ProviderAccount
from portal import composed
from portal.models import AuditEntry, Role, StatusChange, User
from portal.ui.drawing import forget_all
from tests.bench.seeding import key, multiply, pick, settle
from tests.flow import complete_draft
from tests.people import make_customer_user, make_staff, sign_in

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("CASES_SCALE", "0.01"))
CUSTOMERS, CASES, ENTRIES = (int(number * SCALE) for number in (1_000_000, 200_000, 5_000_000))
#: One case of so many is undecided.
UNDONE_ONE_OF = 5
ROUNDS = 9
#: So many pages on: the hundredth, where there are as many.
FAR = 99 if SCALE >= 0.1 else 9
GIVEN = [
    "'Ana'",
    "'Ben'",
    "'Chidi'",
    "'Dana'",
    "'Elif'",
    "'Farid'",
    "'Grace'",
    "'Hugo'",
    "'Iris'",
    "'Jun'",
    "'Kofi'",
]
FAMILY = ["'Ortiz'", "'Nakamura'", "'Okafor'", "'Schmidt'", "'Haddad'", "'Kowalska'", "'Lindqvist'"]
#: One family name of a customer alone, to search for.
NAME = f"{pick(GIVEN)} || ' ' || {pick(FAMILY)} || ' F' || to_hex(n)"


class Shown(ModelAdmin):  # type: ignore[type-arg]
    """A list to look at, for everybody, with as many rows as ours."""

    list_per_page = 25

    def has_view_permission(self, *_: Any) -> bool:
        return True

    has_module_permission = has_view_permission

    def has_change_permission(self, *_: Any) -> bool:
        return False

    has_add_permission = has_delete_permission = has_change_permission


class CaseAdmin(Shown):
    list_display = (
        "reference",
        "kind",
        "subject_label",
        "queue",
        "status",
        "opened_at",
        "due_at",
        "assignee",
        "priority",
    )
    list_select_related = ("queue", "assignee")
    # What our list offers. Of people only those who have cases: the table of users holds the customers too.
    list_filter = ("kind", "queue", "status", ("assignee", RelatedOnlyFieldListFilter), "priority")
    search_fields = ("reference", "subject_label")


class ApplicationAdmin(Shown):
    list_display = ("reference", "customer", "account_type", "status", "status_at", "submitted_at")
    list_select_related = ("customer__user",)
    list_filter = ("status", "account_type")
    search_fields = ("reference", "owners__given_name", "owners__family_name")


class EntryAdmin(Shown):
    """Entries of timelines, as many as our page shows of them."""

    list_per_page = MOST_HAPPENINGS


class ChangeAdmin(EntryAdmin):
    list_display = ("at", "new", "actor", "reason")
    list_select_related = ("actor",)


class AuditAdmin(EntryAdmin):
    list_display = ("at", "action", "actor_label")


class FactAdmin(EntryAdmin):
    list_display = ("at", "title", "source")


class OpenSite(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return True

    def get_log_entries(self, request: HttpRequest) -> Any:
        """None: its table is not installed."""
        return None


#: Lists with as many rows as ours, and lists with as many as Django's admin shows unless told otherwise.
ADMIN, SHIPPED = "/admin/", "/shipped/"
sites = {name: OpenSite(name=name.strip("/")) for name in (ADMIN, SHIPPED)}
for model, shown in {
    Case: CaseAdmin,
    Application: ApplicationAdmin,
    StatusChange: ChangeAdmin,
    AuditEntry: AuditAdmin,
    CaseFact: FactAdmin,
}.items():
    sites[ADMIN].register(model, shown)
    sites[SHIPPED].register(
        model, type(f"Shipped{shown.__name__}", (shown,), {"list_per_page": ModelAdmin.list_per_page})
    )
urlpatterns = [
    *(path(name.lstrip("/"), site.urls) for name, site in sites.items()),
    path("", include("portal.urls")),
]


@pytest.fixture(scope="module", autouse=True)
def _kept(django_db_setup: None) -> Iterator[None]:
    """The rows stay when that was asked for; otherwise they go as after any test."""
    with pytest.MonkeyPatch.context() as patch:
        if "CASES_KEPT" in os.environ:
            patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: None)
        yield


@pytest.fixture
def made() -> dict[str, Any]:
    """The rows, and of them what is asked for: a queue, an analyst, a case that is worked on."""
    started = time.perf_counter()
    if not Queue.objects.filter(name="Queue 1").exists():
        seed()
    simple, rich = Case.objects.filter(status="in_progress", kind=duplicates.KIND).order_by("-pk")[:2]
    twin = Application.objects.filter(status="approved").order_by("pk")[:1].get()
    # What is sealed belongs to its row: the people of the cases that are opened get secrets of their own, the same.
    for person in Owner.objects.filter(application__in=[simple.subject_id, rich.subject_id, twin.pk]):
        person.tax_id, person.date_of_birth = "123456789", date(1985, 4, 12)
        person.save()
    ProviderAccount.objects.get_or_create(
        application_id=rich.subject_id, defaults={"client_account_id": "bench", "status": "active"}
    )
    print(
        f"\n{CUSTOMERS:,} customers, {CASES:,} cases, {ENTRIES:,} entries of timelines, "
        f"made in {time.perf_counter() - started:.0f} s"
    )
    queue = Queue.objects.get(name="Queue 1")
    analyst = User.objects.filter(role=Role.COMPLIANCE_ANALYST).order_by("pk")[1]
    return {"queue": queue, "analyst": analyst, "case": simple, "rich": rich}


def seed() -> None:
    """One customer with an application and a case made by the services, then many like them."""
    analysts = [make_staff("compliance_analyst") for _ in range(5)]
    queues = [Queue.objects.create(name=f"Queue {at}") for at in range(5)]
    draft = complete_draft(make_customer_user())
    subject = services.Subject.of(draft, label="Ana Ortiz")
    case = services.case_open(
        kind=duplicates.KIND,
        subject=subject,
        title="Looks alike",
        facts={"by": "name"},
        source="bench",
        dedupe="1",
    )
    owner = Owner.objects.get(application=draft)
    entry = AuditEntry.objects.filter(subject_type=case._meta.label_lower).first()
    change = StatusChange.objects.create(
        subject_type=case._meta.label_lower, subject_id=case.pk, old="open", new="in_progress"
    )
    fact = CaseFact.objects.get(case=case)
    assert entry is not None
    multiply(User, draft.customer.user_id, CUSTOMERS, email="'c' || n || '@example.test'", name=NAME)
    multiply(Customer, draft.customer_id, CUSTOMERS, user_id=key(User))
    moment = "now() - n * interval '20 seconds'"
    multiply(
        Application,
        draft.pk,
        CUSTOMERS,
        customer_id=key(Customer),
        reference="'PA-' || lpad(n::text, 8, '0')",
        status=pick(["'approved'", "'approved'", "'draft'", "'in_review'", "'rejected'", "'submitted'"]),
        created_at=moment,
        updated_at=moment,
        status_at=moment,
        search=f"to_tsvector('simple', lower({NAME}) || ' pa-' || lpad(n::text, 8, '0'))",
    )
    multiply(
        Owner,
        owner.pk,
        CUSTOMERS,
        application_id=key(Application),
        user_id=key(User),
        given_name=pick(GIVEN),
        family_name=f"{pick(FAMILY)} || ' F' || to_hex(n)",
        tax_id_index="encode(sha256(n::text::bytea), 'hex')",
        person_index="encode(sha256(('p' || n)::bytea), 'hex')",
    )
    undone = f"n % {UNDONE_ONE_OF} = 0"
    someone = pick([f"'{analyst.pk}'::uuid" for analyst in analysts], "n / 10")
    waiting = pick(
        ["'open'", "'in_progress'", "'waiting_customer'", "'waiting_provider'", "'escalated'"], "n / 35"
    )
    multiply(
        Case,
        case.pk,
        CASES,
        reference="'CS-' || lpad(n::text, 8, '0')",
        kind=pick([f"'{kind.name}'" for kind in kinds.all_kinds()], "n / 5"),
        subject_id=key(Application, f"1 + n * 5 % {CUSTOMERS}"),
        subject_label=NAME,
        status=f"CASE WHEN {undone} THEN {waiting} ELSE 'closed' END",
        priority="1 + n / 5 % 4",
        opened_at=moment,
        status_at=moment,
        last_fact_at=moment,
        due_at=f"CASE WHEN {undone} THEN now() + n % 9999 * interval '1 minute' END",
        assignee_id=f"CASE WHEN {undone} AND n / 5 % 5 = 0 THEN NULL ELSE {someone} END",
        queue_id=pick([f"'{queue.pk}'::uuid" for queue in queues], "n / 5"),
        country=pick(["'US'", "'DE'", "'MX'"]),
        search=f"to_tsvector('simple', lower({NAME}) || ' cs-' || lpad(n::text, 8, '0'))",
    )
    each = max(ENTRIES // CASES, 1)
    of_case = key(Case, f"1 + n % {CASES}")
    multiply(StatusChange, change.pk, CASES * each * 2 // 5, subject_id=of_case, at=moment)
    multiply(AuditEntry, entry.pk, CASES * each * 2 // 5, subject_id=of_case, at=moment)
    multiply(CaseFact, fact.pk, CASES * each // 5, case_id=of_case, at=moment, dedupe="'bench:' || n")
    settle(User, Customer, Application, Owner, Case, StatusChange, AuditEntry, CaseFact)


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Django's admin, which the portal does without: its templates, and its addresses beside ours."""
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(Path(django.contrib.admin.__file__).parent / "templates")
    libraries = templates[0]["OPTIONS"].setdefault("libraries", {})
    for name in ("admin_list", "admin_modify", "admin_urls"):
        libraries[name] = f"django.contrib.admin.templatetags.{name}"
    # Tests are told of every template that is drawn, which costs a page of many small ones more than the page.
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))
    logging.disable(logging.WARNING)
    with override_settings(TEMPLATES=templates, ROOT_URLCONF=__name__):
        yield
    logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class Took:
    """What an address costs in milliseconds: when nothing of its page was drawn before, later, the admin's with as many
    rows, and with those it shows unless told otherwise; and how many queries a later call makes. The shortest of some
    calls each: what else the machine does only adds."""

    cold: float
    warm: float
    admin: float
    shipped: float
    queries: int


def timed(client: Client, address: str, beside: Sequence[str]) -> Took:
    """Templates are compiled and connections open in all cases. The calls take turns, as the machine is not ours, and
    ours and the admin's are as many."""
    shipped = [each.replace(ADMIN, SHIPPED, 1) for each in beside]
    for each in (address, *beside, *shipped, address):
        assert client.get(each).status_code == 200, each
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
        made = len(queries)
    cold, warm, admin, usual = [], [], [], []
    for turn in range(ROUNDS):
        admin.append(sum(called(client, each) for each in beside))
        usual.append(sum(called(client, each) for each in shipped))
        if turn % 3 == 0:
            forget()
            cold.append(called(client, address))
        warm.append(called(client, address))
    return Took(min(cold), min(warm), min(admin), min(usual), made)


def forget() -> None:
    """All that a process keeps: what was drawn, filters that were read, and what is remembered for some seconds."""
    forget_all()
    caches["local"].clear()
    composed._listed.clear()
    list_filters._read.cache_clear()
    list_rows.chosen.cache_clear()


def called(client: Client, address: str) -> float:
    started = time.perf_counter()
    client.get(address)
    return (time.perf_counter() - started) * 1000


def deep(client: Client, address: str, pages: int) -> str:
    """The address of a page further on, by pressing Next."""
    for _ in range(pages):
        page = client.get(address).content.decode()
        found = re.search(r'href="(\?[^"]*after=[^"]*)"', page)
        assert found, address
        address = address.partition("?")[0] + found[1].replace("&amp;", "&")
    return address


def test_pages_beside_the_admin(made: dict[str, Any], admin: None) -> None:
    kept = User.objects.filter(role=Role.COMPLIANCE_MANAGER).first()
    client = sign_in(Client(), kept or make_staff(Role.COMPLIANCE_MANAGER))
    needle = f"F{CASES // 2:x}"
    compare(client, "Cases", "/admin/compliance/case/", "/staff/cases/", case_pages(made, needle))
    compare(
        client,
        "Applications",
        "/admin/onboarding/application/",
        "/staff/applications/",
        application_pages(needle),
    )


#: What is asked of us, and the same of the admin: a query of its list, or whole addresses.
Questions = dict[str, tuple[str, str | tuple[str, ...]]]


def case_pages(made: dict[str, Any], needle: str) -> Questions:
    queue, analyst = made["queue"].pk, made["analyst"].pk
    rich = made["rich"].pk
    about = f"subject_type={Case._meta.label_lower}&subject_id={rich}"
    audited = f"/admin/portal/auditentry/?{about}"
    entries = (audited, f"/admin/portal/statuschange/?{about}", f"/admin/compliance/casefact/?case={rich}")
    undone = "status__in=" + ",".join(word for word in Case.Status.values if word not in Case.DONE)
    week = (timezone.now() - timedelta(days=7)).isoformat()
    columns = {"oldest": "6", "newest": "-6", "due": "7", "pressing": "-9"}
    pages = {
        f"by {order.label.lower()}": (f"sort={name}", f"{undone}&o={columns[name]}")
        for name, order in ORDERS.items()
    }
    pages |= {
        f"status {status}": (f"status={status}", f"status__exact={status}") for status in Case.Status.values
    }
    return pages | {
        "status all": ("status=all", ""),
        "status waiting": ("status=waiting", "status__in=waiting_customer,waiting_provider"),
        "one queue": (f"queue={queue}", f"queue__id__exact={queue}&{undone}"),
        "one queue, by due date": (f"queue={queue}&sort=due", f"queue__id__exact={queue}&{undone}&o=7"),
        "one kind": (f"kind={duplicates.KIND}", f"kind={duplicates.KIND}&{undone}"),
        "nobody's": ("assignee=nobody", f"assignee__isnull=True&{undone}"),
        "one person's": (f"assignee={analyst}", f"assignee__id__exact={analyst}&{undone}"),
        "older than a week": ("age=7", urlencode({"opened_at__lt": week}) + f"&{undone}"),
        "urgent": ("priority=4", f"priority__exact=4&{undone}"),
        "overdue": ("due=overdue", urlencode({"due_at__lt": timezone.now().isoformat()}) + f"&{undone}"),
        "search": (f"q={needle}", f"q={needle}&{undone}"),
        "search of all": (f"q={needle}&status=all", f"q={needle}"),
        "the case": (f"{made['case'].pk}/", ""),
        "the case, its account open": (f"{rich}/", ""),
        "the same with its history": (f"{rich}/?show=all", ""),
        "  beside one of its tables": (f"{rich}/?show=all", (audited,)),
        "  beside its three tables": (f"{rich}/?show=all", entries),
        "  beside all of the three": (f"{rich}/?show=all", tuple(each.partition("?")[0] for each in entries)),
        "the case, beside all three": (f"{rich}/", tuple(each.partition("?")[0] for each in entries)),
    }


def application_pages(needle: str) -> Questions:
    return {
        "all": ("", ""),
        "status in review": ("status=in_review", "status__exact=in_review"),
        "waiting on us": ("waiting_on=us", "status__in=held,submitted"),
        "search": (f"q={needle}", f"q={needle}"),
    }


def compare(client: Client, title: str, admin: str, ours: str, pages: Questions, far: int = FAR) -> None:
    """Print, for each page: ours for the first time and later, the admin's, how many times it takes ours, queries."""
    print(
        f"\n{title:<28}{'cold ms':>9}{'warm ms':>9}{'admin ms':>10}{'shipped':>9}{'cold x':>8}{'warm x':>8}"
        f"{'shipped x':>11}{'queries':>9}"
    )

    def line(name: str, address: str, beside: Sequence[str]) -> Took:
        took = timed(client, address, beside)
        print(
            f"{name:<28}{took.cold:>9.1f}{took.warm:>9.1f}{took.admin:>10.1f}{took.shipped:>9.1f}"
            f"{took.admin / took.cold:>8.1f}{took.admin / took.warm:>8.1f}{took.shipped / took.warm:>11.1f}"
            f"{took.queries:>9}",
            flush=True,
        )
        return took

    for name, (query, same) in pages.items():
        address = ours + query if "/" in query else f"{ours}?{query}"
        line(name, address, (f"{admin}?{same}",) if isinstance(same, str) else same)
    first = line("first page", ours, (admin,))
    further = line("hundredth page", deep(client, ours, far), (f"{admin}?p={far}",))
    print(
        f"{'hundredth beside the first':<28}{further.cold / first.cold:>9.2f}{further.warm / first.warm:>9.2f}"
    )
    # From page to page nothing is looked up more often.
    assert further.queries == first.queries
