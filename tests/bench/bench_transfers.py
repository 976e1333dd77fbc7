"""How fast the staff list of transfers answers at the full size, beside Django's own admin over the same table.

1,000,000 transfers of 100,000 customers with TRANSFERS_SCALE=1; 1/100 of that otherwise. The admin shows the same
columns and the same number of rows, offers the same filters and is asked the same question. The number of queries is
asserted, times are not: only ratios travel between machines. Run with `make bench`, or
`TRANSFERS_SCALE=1 pytest -m bench -s tests/bench/bench_transfers.py`.
"""

import os
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from funding.models import Transfer
from onboarding.models import Application, Customer, Owner, ProviderAccount
from portal import clock
from portal.models import User
from tests.bench.bench_cases import OpenSite, Questions, Shown, admin, compare  # noqa: F401
from tests.bench.seeding import key, multiply, pick, settle
from tests.funding.people import open_account
from tests.people import make_staff, sign_in

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("TRANSFERS_SCALE", "0.01"))
CUSTOMERS, TRANSFERS = (int(number * SCALE) for number in (100_000, 1_000_000))
#: So many pages on: the hundredth.
FAR = 99
GIVEN = ["'Ana'", "'Ben'", "'Chidi'", "'Dana'", "'Elif'", "'Farid'", "'Grace'", "'Hugo'", "'Iris'", "'Jun'"]
FAMILY = ["'Ortiz'", "'Nakamura'", "'Okafor'", "'Schmidt'", "'Haddad'", "'Kowalska'", "'Lindqvist'"]


class TransferAdmin(Shown):
    list_per_page = 50
    list_display = ("account", "kind", "reason_code", "amount_minor", "status", "created_at")
    list_select_related = ("account__application", "bank")
    list_filter = ("status", "direction", "rail", "kind", "origin")
    search_fields = (
        "reference",
        "account__application__owners__given_name",
        "account__application__owners__family_name",
    )
    ordering = ("-created_at", "-id")


site = OpenSite(name="admin")
site.register(Transfer, TransferAdmin)
urlpatterns = [path("admin/", site.urls), path("", include("portal.urls"))]


def case(otherwise: str, words: dict[str, str]) -> str:
    """SQL for the word of the first condition that holds."""
    whens = " ".join(f"WHEN {condition} THEN '{word}'" for condition, word in words.items())
    return f"CASE {whens} ELSE '{otherwise}' END"


def seed() -> dict[str, Any]:
    """One customer with an account and a transfer, then many like them. What is rare is one of thousands."""
    account = open_account()
    transfer = Transfer.objects.create(
        account=account, status="completed", direction="deposit", rail="ach", origin="customer", amount_minor=1,
        reference="pattern",
    )  # fmt: skip
    application = account.application
    owner = Owner.objects.get(application=application)
    family = f"{pick(FAMILY)} || ' F' || to_hex(n)"
    words = f"lower({pick(GIVEN)} || ' ' || {family})"
    multiply(User, application.customer.user_id, CUSTOMERS, email="'c' || n || '@example.test'")
    multiply(Customer, application.customer_id, CUSTOMERS, user_id=key(User))
    multiply(
        Application,
        application.pk,
        CUSTOMERS,
        customer_id=key(Customer),
        reference="'PA-' || lpad(n::text, 8, '0')",
        search=f"to_tsvector('simple', {words} || ' pa-' || lpad(n::text, 8, '0'))",
    )
    multiply(
        Owner,
        owner.pk,
        CUSTOMERS,
        application_id=key(Application),
        given_name=pick(GIVEN),
        family_name=family,
    )
    multiply(
        ProviderAccount,
        account.pk,
        CUSTOMERS,
        application_id=key(Application),
        client_account_id="'PA-' || lpad(n::text, 8, '0')",
    )
    begun = "now() - n * interval '20 seconds'"
    # What the provider began was never held or sent by us.
    begun_by = case("customer", {"n % 10 = 0": "provider", "n % 5000 = 1": "staff", "n % 3 = 0": "app"})
    returned = "n % 40 = 7"
    multiply(
        Transfer,
        transfer.pk,
        TRANSFERS,
        account_id=key(ProviderAccount, f"1 + n * 919 % {CUSTOMERS}"),
        reference=f"{key(Transfer)}::text",
        amount_minor="1000 + n::bigint * 7919 % 5000000",
        origin=begun_by,
        kind=case(
            "trade",
            {
                "n % 10 <> 0": "transfer",
                "n % 5000 = 10": "write_off",
                "n % 5000 = 20": "adjustment",
                "n % 200 = 30": "return_fee",
            },
        ),
        rail=case("ach", {"n % 10 = 0": "book", "n % 10 = 9": "wire"}),
        direction=pick(["'deposit'", "'deposit'", "'withdrawal'"], "n / 2"),
        status=case(
            "completed",
            {
                returned: "returned",
                "n % 50 = 3": "pending",
                "n % 5000 = 12": "held",
                "n % 5000 = 13": "requested",
                "n % 1000 = 14": "sent",
                "n % 100 = 15": "declined",
                "n % 500 = 16": "failed",
                "n % 2500 = 17": "cancelled",
            },
        ),
        reason_code=case("", {"n % 40000 = 7": "R29", returned: "R01"}),
        stuck_at=f"CASE WHEN n % 50000 = 13 THEN {begun} END",
        created_at=begun,
        status_at=begun,
    )
    settle(User, Customer, Application, Owner, ProviderAccount, Transfer)
    return {"account": ProviderAccount.objects.get(client_account_id=f"PA-{CUSTOMERS // 2:08d}")}


def questions(made: dict[str, Any]) -> Questions:
    """Each filter of the list with what is common and what is rare, and pairs of them."""
    account = made["account"]
    needle = f"F{CUSTOMERS // 2:x}"
    middle = Transfer.objects.order_by("pk")[TRANSFERS // 2]
    old = clock.now() - timedelta(seconds=19 * TRANSFERS)
    same = {
        "status": ("completed", "pending", "returned", "failed", "cancelled", "held"),
        "direction": ("withdrawal",),
        "rail": ("wire", "book"),
        "kind": ("trade", "write_off"),
        "origin": ("app", "staff"),
    }
    pages = {
        f"{name} {value}": (f"{name}={value}", f"{name}__exact={value}")
        for name, values in same.items()
        for value in values
    }
    return pages | {
        "held, by tab": ("waits=held", "status__exact=held"),
        "stuck, by tab": ("waits=stuck", "stuck_at__isnull=False"),
        "code R01": ("code=R01", "reason_code=R01"),
        "code R29": ("code=R29", "reason_code=R29"),
        "a code that none has": ("code=R99", "reason_code=R99"),
        "staff, cancelled": ("origin=staff&status=cancelled", "origin__exact=staff&status__exact=cancelled"),
        "write-off withdrawn": (
            "kind=write_off&direction=withdrawal",
            "kind__exact=write_off&direction__exact=withdrawal",
        ),
        "wire returned": ("rail=wire&status=returned", "rail__exact=wire&status__exact=returned"),
        "amount of 20 cents' width": (
            "amount_from=1234.00&amount_to=1234.20",
            "amount_minor__gte=123400&amount_minor__lte=123420",
        ),
        "amount from $40,000": ("amount_from=40000", "amount_minor__gte=4000000"),
        "the oldest twentieth": (f"until={old:%Y-%m-%d}", urlencode({"created_at__lt": old.isoformat()})),
        "one account": (f"account={account.pk}", f"account__id__exact={account.pk}"),
        "search by name": (f"q={needle}", f"q={needle}"),
        "search by a common name": ("q=okafor", "q=okafor"),
        "search by reference": (f"q={middle.reference}", f"q={middle.reference}"),
        "search for nobody": ("q=zzzzz", "q=zzzzz"),
        "by amount": ("sort=-amount", "o=-4"),
        "by amount, rising": ("sort=amount", "o=4"),
        "by amount, cancelled": ("sort=-amount&status=cancelled", "o=-4&status__exact=cancelled"),
        "by amount, write-offs": ("sort=-amount&kind=write_off", "o=-4&kind__exact=write_off"),
    }


@pytest.mark.usefixtures("admin")
def test_the_list_beside_the_admin() -> None:
    started = time.perf_counter()
    made = seed()
    print(
        f"\n{TRANSFERS:,} transfers of {CUSTOMERS:,} customers, made in {time.perf_counter() - started:.0f} s"
    )
    client = sign_in(Client(), make_staff("funding_operator"))
    with override_settings(ROOT_URLCONF=__name__):
        compare(client, "Transfers", "/admin/funding/transfer/", "/staff/transfers/", questions(made), FAR)
