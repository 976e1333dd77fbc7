"""Demo data: staff of every role, a customer, agreements, and applications that run through the sandbox for real.

What comes of the applications is told by the sandbox's stories, the same that drive tests and training.
"""

from dataclasses import dataclass, replace
from functools import cache
from string import ascii_uppercase
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from onboarding import completeness, services
from onboarding.agreements import agreement_publish
from onboarding.demo_stories import Story, play, stories
from onboarding.models import Application, Owner
from onboarding.words import AccountType, EntityType, OwnerRole
from portal.auth.demo import enrol_totp
from portal.models import Role, User

PASSWORD = "demo-portal-2026"  # noqa: S105  (development only: seed_demo refuses production)

STAFF = {
    Role.ONBOARDING_AGENT: "Olivia Grant",
    Role.COMPLIANCE_ANALYST: "Amir Haddad",
    Role.COMPLIANCE_MANAGER: "Maria Lindqvist",
    Role.FUNDING_OPERATOR: "Ravi Menon",
    Role.AUDITOR: "Ruth Okafor",
    Role.ADMINISTRATOR: "Jonas Weber",
}
#: Fixed secrets, so that a second start prints the same logins.
TOTP_SECRETS = {
    role: secret * 4
    for role, secret in zip(
        STAFF, ("JBSWY3DP", "KRSXG5CT", "MFRGGZDF", "NBSWY3DP", "ONSWG4TF", "OBXXE5DB"), strict=True
    )
}

AGREEMENTS = {
    "crypto-user-agreement": (
        "User agreement",
        (
            "This is a sample text for demonstration.\n\n"
            "1. The account is held at the provider; we pass your instructions on.\n"
            "2. Prices of digital assets move strongly. You may lose what you put in.\n"
            "3. You tell us when your details change.\n"
            "4. You may close the account at any time."
        ),
    ),
    "electronic-communications": (
        "Consent to electronic communications",
        (
            "This is a sample text for demonstration.\n\nYou agree to receive statements, "
            "notices and disclosures by e-mail and on these pages. "
            "You can ask for paper at any time."
        ),
    ),
}

#: People whose account is opened without a story. The first one applies twice.
PEOPLE = (("Nora", "Bergström"), ("José", "Núñez"))
#: Names that the sandbox refuses or restricts (docs/sandbox.md), so that queues hold such cases from the start.
RESTRICTED = (("Maggic", "Dawn"), ("Taxid", "Retries"), ("Suspend", "Later"), ("Liquidate", "Later"))
#: For stories whose person is in another one already.
OTHERS = (
    ("Iris", "Novak"),
    ("Omar", "Rahman"),
    ("Petra", "Lind"),
    ("Samuel", "Okoye"),
    ("Yuki", "Tanaka"),
    ("Lucía", "Vargas"),
)
#: Stories played once more, so slowly that somebody stands in the middle of them for hours.
SLOWLY = (
    ("manual_review_then_active", "Mina", "Park", 60.0),
    ("flagged_to_suspended", "Leon", "Fischer", 60.0),
)
#: Whoever completes the company's application has its story play.
COMPANY = ("entity_kyb_active", "Noor", "Bakker")


@dataclass(frozen=True)
class Login:
    """A demo login, as the launcher prints it."""

    role: str
    email: str
    password: str
    totp_path: str = ""


def seed() -> list[Login]:
    """Make what is missing; safe to run at every start. Returns the logins."""
    logins = [_customer("customer@demo.example", "Casey Doe")]
    logins += [_staff(role, name) for role, name in STAFF.items()]
    if not completeness.agreements_in_force():
        for name, (title, text) in AGREEMENTS.items():
            agreement_publish(name=name, version="2026-01", title=title, text=text)
    told = stories()
    _apply_all(told)
    _begin_a_company("founder@demo.example", has_story=bool(told))
    return logins


def _apply_all(told: list[Story]) -> None:
    """Everybody who applied. Who has a story goes through what it tells."""
    for number, (given, family) in enumerate(PEOPLE, start=1):
        apply_for(f"demo{number}@demo.example", given, family, number)
    # The first person once more, under another login: a possible duplicate for the queue of cases.
    apply_for("twin@demo.example", *PEOPLE[0], number=1)
    for number, (given, family) in enumerate(RESTRICTED, start=60):
        apply_for(f"{given}.{family}@demo.example".lower(), given, family, number)
    for number, story in enumerate(_cast(told), start=10):
        email = f"{story.name.replace('_', '.')}@demo.example"
        if story.account_type == AccountType.INDIVIDUAL:
            apply_for(email, story.given, story.family, number, story=story.name, born=story.born)
        elif story.account_type == AccountType.CUSTODIAL:
            _apply_for_a_child(email, story.given, story.family, number, story=story.name, born=story.born)
    if not told:
        _apply_for_a_child("parent@demo.example", "Robin", "Vale", 40)
        return
    for number, (name, given, family, speed) in enumerate(SLOWLY, start=50):
        email = f"{given}.{family}@demo.example".lower()
        apply_for(email, given, family, number, story=name, speed=speed)


def _cast(told: list[Story]) -> list[Story]:
    """The stories, each with a person of its own: by their name the sandbox knows whose story it is."""
    found: list[Story] = []
    others = iter(OTHERS)
    taken: set[tuple[str, str]] = set()
    for story in told:
        if (story.given, story.family) in taken:
            given, family = next(others, (story.given, f"{story.family} {ascii_uppercase[len(found) % 26]}"))
            found.append(replace(story, given=given, family=family, born=""))
        else:
            taken.add((story.given, story.family))
            found.append(story)
    return found


@cache
def _hashed_password() -> str:
    """Hashed once for all of them: it is slow on purpose, and everybody knows this password."""
    return make_password(PASSWORD)


def _user(email: str, name: str, role: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, None, name=name, role=role)
        user.password = _hashed_password()
        user.save(update_fields=["password"])
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _customer(email: str, name: str) -> Login:
    _user(email, name, Role.CUSTOMER)
    return Login(Role.CUSTOMER.label, email, PASSWORD)


def _staff(role: str, name: str) -> Login:
    user = _user(f"{role.replace('_', '.')}@demo.example", name, role)
    enrol_totp(user, TOTP_SECRETS[Role(role)])
    return Login(Role(role).label, user.email, PASSWORD, f"/dev/totp/{role}/")


def answers_for(given: str, family: str, number: int, born: str = "") -> dict[str, dict[str, Any]]:
    """A complete set of made-up answers for a person; `number` keeps tax numbers apart."""
    address = {
        "line1": f"{100 + number} Sample Street",
        "line2": "",
        "city": "Austin",
        "state": "TX",
        "postal_code": "78701",
        "country": "US",
    }
    return {
        "identity": {
            "given_name": given,
            "middle_names": "",
            "family_name": family,
            "date_of_birth": born or f"19{70 + number % 30}-04-17",
            "tax_id_type": "SSN",
            "tax_id": f"536-22-{1000 + number}",
        },
        "contact": {"email": f"demo{number}@demo.example", "phone": f"+1512555{100 + number:04d}"},
        "address": {f"home_{part}": value for part, value in address.items()} | {"mailing_same": True},
        "employment": {
            "situation": "EMPLOYED",
            "employer_name": "Sample Works LLC",
            "position": "Analyst",
            "years_employed": 4,
            **{f"employer_{part}": value for part, value in address.items()},
        },
        "investment": {
            "investment_objective": "GROWTH",
            "annual_income_range": "FROM_50K_TO_100K",
            "expected_monthly_deposits": "FROM_1K_TO_5K",
            "risk_tolerance": "MEDIUM",
        },
    }


def fill(user: User, application: Application, answers: dict[str, dict[str, Any]]) -> Application:
    """Save steps and accept every agreement in force, through the services."""
    _fill_part(user, application, answers, None)
    accepted = {agreement.pk: agreement.text_sha256 for agreement in completeness.agreements_in_force()}
    return services.agreements_accept(
        actor=user, application_id=application.pk, accepted=accepted, source="page"
    )


def apply_for(
    email: str,
    given: str,
    family: str,
    number: int,
    *,
    story: str = "",
    speed: float | None = None,
    born: str = "",
) -> None:
    """Apply for an individual account; with a story, what comes of it is the story's."""
    user = _user(email, f"{given} {family}", Role.CUSTOMER)
    if Application.objects.filter(customer__user=user).exists():
        return
    if story:
        play(story, given, family, speed=speed)
    application = services.application_start(actor=user, source="page")
    fill(user, application, answers_for(given, family, number, born))
    services.application_submit(actor=user, application_id=application.pk, source="page")


def _fill_part(
    user: User, application: Application, answers: dict[str, dict[str, Any]], owner: Owner | None
) -> None:
    for step, values in answers.items():
        services.step_save(
            actor=user,
            application_id=application.pk,
            step=step,
            owner_id=owner.pk if owner else None,
            answers=values,
            source="page",
        )


def _apply_for_a_child(
    email: str, given: str, family: str, number: int, *, story: str = "", born: str = ""
) -> None:
    """A custodial account that opens."""
    user = _user(email, f"{given} {family}", Role.CUSTOMER)
    if Application.objects.filter(customer__user=user).exists():
        return
    if story:
        play(story, given, family)
    application = services.application_start(actor=user, account_type=AccountType.CUSTODIAL, source="page")
    _fill_part(user, application, answers_for(given, family, number, born), None)
    child = services.owner_add(
        actor=user, application_id=application.pk, role=OwnerRole.MINOR_OWNER, country="US", source="page"
    )
    own = answers_for("Kim", family, 41)
    own["identity"]["date_of_birth"] = "2016-04-17"
    _fill_part(user, application, {name: own[name] for name in ("identity", "contact", "address")}, child)
    fill(user, application, {"owners": {}})
    services.application_submit(actor=user, application_id=application.pk, source="page")


def _begin_a_company(email: str, *, has_story: bool) -> None:
    """A company whose application was left in the middle."""
    story, given, family = COMPANY
    user = _user(email, f"{given} {family}", Role.CUSTOMER)
    if Application.objects.filter(customer__user=user).exists():
        return
    if has_story:
        play(story, given, family)
    application = services.application_start(
        actor=user, account_type=AccountType.ENTITY, entity_type=EntityType.LLC, source="page"
    )
    company = {
        "legal_name": "Sample Works LLC",
        "entity_tax_id": "12-3456789",
        "entity_email": "office@demo.example",
        "entity_phone": "+15125550199",
    }
    _fill_part(user, application, {"entity": company}, None)
    services.owner_add(
        actor=user,
        application_id=application.pk,
        role=OwnerRole.BENEFICIAL_OWNER,
        country="DE",
        given_name="Jonas",
        family_name="Weber",
        ownership_percent=40,
        source="page",
    )
