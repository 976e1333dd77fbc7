"""Demo data: staff of every role, a customer, agreements, and applications that run through the sandbox for real."""

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress

from onboarding import completeness, services
from onboarding.agreements import agreement_publish
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

#: Names the sandbox knows, and what comes of each.
PEOPLE = (
    ("Nora", "Bergström"),
    ("Review", "Manual"),
    ("Maggic", "Dawn"),
    ("Verify", "Document"),
    ("block", "block"),
    ("Suspend", "Later"),
    ("José", "Núñez"),
    ("Silent", "Never"),
)


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
    for number, (given, family) in enumerate(PEOPLE, start=1):
        _apply(f"demo{number}@demo.example", given, family, number)
    # The first person once more, under another login: a possible duplicate for the queue of cases.
    _apply("twin@demo.example", *PEOPLE[0], number=1)
    _apply_for_a_child("parent@demo.example")
    _begin_a_company("founder@demo.example")
    return logins


def _user(email: str, name: str, role: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, name=name, role=role)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _customer(email: str, name: str) -> Login:
    _user(email, name, Role.CUSTOMER)
    return Login(Role.CUSTOMER.label, email, PASSWORD)


def _staff(role: str, name: str) -> Login:
    user = _user(f"{role.replace('_', '.')}@demo.example", name, role)
    enrol_totp(user, TOTP_SECRETS[Role(role)])
    return Login(Role(role).label, user.email, PASSWORD, f"/dev/totp/{role}/")


def answers_for(given: str, family: str, number: int) -> dict[str, dict[str, Any]]:
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
            "date_of_birth": f"19{70 + number % 30}-04-17",
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


def _apply(email: str, given: str, family: str, number: int) -> None:
    user = _user(email, f"{given} {family}", Role.CUSTOMER)
    if Application.objects.filter(customer__user=user).exists():
        return
    application = services.application_start(actor=user, source="page")
    fill(user, application, answers_for(given, family, number))
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


def _apply_for_a_child(email: str) -> None:
    """A custodial account that opens."""
    user = _user(email, "Robin Vale", Role.CUSTOMER)
    if Application.objects.filter(customer__user=user).exists():
        return
    application = services.application_start(actor=user, account_type=AccountType.CUSTODIAL, source="page")
    _fill_part(user, application, answers_for("Robin", "Vale", 40), None)
    child = services.owner_add(
        actor=user, application_id=application.pk, role=OwnerRole.MINOR_OWNER, country="US", source="page"
    )
    own = answers_for("Kim", "Vale", 41)
    own["identity"]["date_of_birth"] = "2016-04-17"
    _fill_part(user, application, {name: own[name] for name in ("identity", "contact", "address")}, child)
    fill(user, application, {"owners": {}})
    services.application_submit(actor=user, application_id=application.pk, source="page")


def _begin_a_company(email: str) -> None:
    """A company whose application was left in the middle."""
    user = _user(email, "Noor Bakker", Role.CUSTOMER)
    if Application.objects.filter(customer__user=user).exists():
        return
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
