"""Finding people and applications for the staff's one search (portal/finding.py): each way by an index."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower

from onboarding import selectors, standing
from onboarding.dossier import anchors
from onboarding.models import Application, Customer, Entity, Owner, ProviderAccount
from onboarding.requirements import rules
from portal.finding import MOST, By, Found, Group, Hit, Subject, Term
from portal.models import User
from portal.permissions import can_do
from portal.sealed import BlindIndexField
from portal.search import among, search_words

#: Of what is equal so many are read; whoever has more is no person.
MOST_READ = 200


def find(actor: User, term: Term, known: Sequence[Subject]) -> Found:
    """The people and the applications that the term names, newest first; nothing for roles that see none."""
    if not can_do(actor, "application.view"):
        return Found()
    keys = sorted(_applications(term), reverse=True)
    shown = keys[:MOST]
    # What is shut away is found by nobody (onboarding/shut_away.py).
    open_to_staff = Application.objects.filter(customer__restricted_at=None)
    rows = open_to_staff.select_related("account__identity_check", "customer__user").in_bulk(shown)
    shown = [key for key in shown if key in rows]
    of_shown = Owner.objects.filter(application__in=shown).select_related("user")
    owners = list(of_shown.order_by("-application_id", "-is_applicant", "pk"))
    names = _names(owners, shown)
    people = [row for row in owners if _is_meant(row, rows[row.application_id], term)]
    hits = [_person(row, rows[row.application_id]) for row in people[:MOST]]
    groups = [
        Group("People", [*hits, *_without_application(term, actor)], max(len(people), len(keys)) > MOST),
        Group(
            "Applications",
            [_application(rows[key], names, term) for key in shown],
            len(keys) > MOST,
        ),
    ]
    return Found(groups, anchors.subjects_of(*shown))


def _applications(term: Term) -> set[UUID]:
    """The keys of what matches, a few more than are shown at most."""
    match term.by:
        case By.LAST_FOUR | By.NUMBER:
            name = "tax_id_last4" if term.by is By.LAST_FOUR else "tax_id_index"
            return {
                key
                for model in (Owner, Entity)
                for key in _of(model, **{name: _index(model, name, term.text)})
            }
        case By.EMAIL:
            address = term.text.lower()
            given = _of(Owner, address=address) | _of(Entity, address=address)
            people = User.objects.alias(address=Lower("email")).filter(address=address)
            return given | _few(Application.objects.filter(customer__user__in=people), "pk")
        case By.PHONE:
            return _by_phone(term.text)
        case By.REFERENCE:
            return _few(Application.objects.filter(reference=term.text.upper()), "pk")
    return _by_words(term.text) | _by_account(term.text)


def _index(model: type[Owner | Entity], name: str, text: str) -> str:
    """Under which a number is found in that column."""
    field = model._meta.get_field(name)
    assert isinstance(field, BlindIndexField)
    return field.index_of(text)


def _first(rows: Any, key: str) -> set[UUID]:
    """The newest by a word: the index of words and the order of keys serve each other."""
    return set(rows.order_by(f"-{key}").values_list(key, flat=True)[: MOST + 1])


def _few(rows: Any, key: str) -> set[UUID]:
    """The newest by something few share: read without an order, which would lure the planner through all keys."""
    return set(sorted(rows.order_by().values_list(key, flat=True)[:MOST_READ], reverse=True)[: MOST + 1])


def _of(model: type[Owner | Entity], **where: str) -> set[UUID]:
    rows = model._default_manager.all()
    if "address" in where:
        # The index leaves the empty ones out, and must be told.
        rows = rows.alias(address=Lower("email")).exclude(email="")
    return _few(rows.filter(**where), "application_id")


def _by_phone(text: str) -> set[UUID]:
    try:
        number = rules.phone(text)
    except ValidationError:
        return set()
    return _few(Owner.objects.filter(phone=number).exclude(phone=""), "application_id") | _few(
        Entity.objects.filter(phone=number).exclude(phone=""), "application_id"
    )


def _by_account(text: str) -> set[UUID]:
    ours = Q(client_account_id=text)
    theirs = Q(provider_id=text) & ~Q(provider_id="")
    return (
        _few(ProviderAccount.objects.filter(ours), "application_id")
        | _few(ProviderAccount.objects.filter(theirs), "application_id")
        | _few(Application.objects.filter(ours), "pk")
    )


def _by_words(text: str) -> set[UUID]:
    return _first(among(Application.objects.all(), selectors.by_words(text)), "pk")


def _is_meant(owner: Owner, application: Application, term: Term) -> bool:
    """Whether this person is what was searched for, not somebody else of the same account."""
    match term.by:
        case By.LAST_FOUR:
            return bool(owner.tax_id_last4 == _index(Owner, "tax_id_last4", term.text))
        case By.NUMBER:
            return bool(owner.tax_id_index == _index(Owner, "tax_id_index", term.text))
        case By.EMAIL:
            login = application.customer.user if owner.is_applicant else owner.user
            return term.text.lower() in {owner.email.lower(), login.email if login else ""}
        case By.PHONE:
            return owner.phone != "" and owner.phone == rules.phone(term.text)
        case By.NAME:
            words = [word.lower() for word in search_words(f"{owner.full_name} {owner.email}")]
            asked = [word.lower() for word in search_words(term.text)]
            return all(any(word.startswith(part) for word in words) for part in asked)
    return False


def _names(owners: Iterable[Owner], keys: Sequence[UUID]) -> dict[UUID, str]:
    names = {owner.application_id: owner.full_name for owner in owners if owner.is_applicant}
    entities = Entity.objects.filter(application__in=keys).exclude(legal_name="")
    names.update(entities.values_list("application_id", "legal_name"))
    return names


def _person(owner: Owner, application: Application) -> Hit:
    born = f", born {owner.date_of_birth}" if owner.date_of_birth else ""
    number = f", tax number {owner.tax_id}" if owner.tax_id else ""
    return Hit(
        owner.full_name or "No name yet",
        f"{owner.get_role_display()} of {application.reference}, {owner.country.name}{born}{number}",
        _page(application),
        standing.ball(application),
        standing.shown_status(application),
    )


def _application(application: Application, names: dict[UUID, str], term: Term) -> Hit:
    account = standing.account_of(application)
    keys = {
        application.client_account_id,
        *((account.client_account_id, account.provider_id) if account else ()),
    }
    return Hit(
        names.get(application.pk) or "No name yet",
        # The key of most accounts is the application's own reference.
        ", ".join(
            dict.fromkeys(filter(None, (application.reference, account.client_account_id if account else "")))
        ),
        _page(application),
        standing.ball(application),
        standing.shown_status(application),
        is_named=term.by is By.REFERENCE or term.text in keys - {""},
    )


def _page(application: Application) -> str:
    return selectors.staff_page(application.pk)


def _without_application(term: Term, actor: User) -> list[Hit]:
    """Customers who signed up and began nothing."""
    if term.by is not By.EMAIL:
        return []
    people = User.objects.alias(address=Lower("email")).filter(address=term.text.lower(), role="customer")
    idle = [
        user for user in people if not Customer.objects.filter(user=user, applications__isnull=False).exists()
    ]
    return [
        Hit(user.name or "No name yet", "Signed up; has begun no application") for user in islice(idle, MOST)
    ]
