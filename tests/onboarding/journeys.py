"""Applications of every type, filled in through the services as a customer would."""

from typing import Any
from uuid import UUID

from onboarding import completeness, drafts, services
from onboarding.models import Application, Owner
from portal.models import User
from tests.onboarding import answers

ENTITY: dict[str, Any] = {
    "legal_name": "Sample Works LLC",
    "entity_tax_id": "12-3456789",
    "formation_date": "2015-04-17",
    "registration_status": "CURRENTLY_REGISTERED",
    "entity_email": "office@example.test",
    "entity_phone": "512 555 0199",
}
PLACE: dict[str, str] = {
    "line1": "1 Works Avenue",
    "line2": "",
    "city": "Austin",
    "state": "TX",
    "postal_code": "78702",
    "country": "US",
}
BUSINESS: dict[str, Any] = {
    "operating_industry": "Software",
    "operating_countries": ["US", "MX"],
    "subject_to_aml": False,
    "annual_net_income": "FROM_1M_TO_2M",
}
BERLIN: dict[str, Any] = {
    "home_line1": "Musterstraße 1",
    "home_line2": "",
    "home_city": "Berlin",
    "home_state": "",
    "home_postal_code": "10115",
    "home_country": "DE",
    "mailing_same": True,
}


def place(prefix: str, **changes: str) -> dict[str, str]:
    """An address whose answers begin with `prefix`."""
    return {f"{prefix}_{name}": value for name, value in (PLACE | changes).items()}


def entity_steps() -> dict[str, dict[str, Any]]:
    """The answers about a company or trust."""
    return {
        "entity": ENTITY,
        "entity_address": place("registered") | place("operating", line1="2 Works Avenue"),
        "entity_business": BUSINESS,
    }


def person_steps(number: int, *, works: bool = True, **identity: Any) -> dict[str, dict[str, Any]]:
    """The answers about one more person; `number` keeps tax numbers apart."""
    found = {
        "identity": answers.IDENTITY | {"tax_id": f"536-22-{2000 + number}"} | identity,
        "contact": {"email": f"person{number}@example.test", "phone": "512 555 0143"},
        "address": answers.HOME,
    }
    return found | ({"employment": answers.EMPLOYMENT} if works else {})


def save(
    user: User, application: Application, steps: dict[str, dict[str, Any]], owner: Owner | None = None
) -> None:
    """Save steps one by one."""
    owner_id: UUID | None = owner.pk if owner else None
    for step, given in steps.items():
        services.step_save(
            actor=user,
            application_id=application.pk,
            step=step,
            owner_id=owner_id,
            answers=given,
            source="page",
        )


def add(user: User, application: Application, role: str, **more: Any) -> Owner:
    """One more person of the account."""
    return services.owner_add(
        actor=user, application_id=application.pk, role=role, source="page", **({"country": "US"} | more)
    )


def accept(user: User, application: Application) -> None:
    """Accept every agreement in force."""
    draft = drafts.load(application)
    asked = completeness.agreements_for(draft, draft.applicant)
    accepted = {row.pk: row.text_sha256 for row in asked}
    services.agreements_accept(actor=user, application_id=application.pk, accepted=accepted, source="page")


def custodial(user: User) -> Application:
    """A complete draft for a child."""
    application = services.application_start(actor=user, account_type="CUSTODIAL", source="page")
    save(user, application, answers.STEPS)
    minor = add(user, application, "MINOR_OWNER", given_name="Leo", family_name="Ortiz")
    save(
        user,
        application,
        person_steps(1, works=False, given_name="Leo", family_name="Ortiz", date_of_birth="2015-05-02"),
        minor,
    )
    save(user, application, {"owners": {}})
    accept(user, application)
    return Application.objects.get(pk=application.pk)


def trust(user: User) -> Application:
    """A complete draft for a personal trust with one trustee and one beneficiary."""
    application = services.application_start(actor=user, account_type="ENTITY_PERSONAL_TRUST", source="page")
    save(user, application, entity_steps() | answers.STEPS)
    beneficiary = add(user, application, "BENEFICIARY")
    save(user, application, person_steps(2, works=False, date_of_birth="2012-01-01"), beneficiary)
    save(user, application, {"owners": {}})
    accept(user, application)
    return Application.objects.get(pk=application.pk)


def entity(user: User, entity_type: str = "LLC") -> Application:
    """A complete draft for a company whose applicant controls it, with one more holder of 40 %."""
    application = services.application_start(
        actor=user, account_type="ENTITY", entity_type=entity_type, source="page"
    )
    save(user, application, entity_steps() | answers.STEPS)
    services.owner_change(
        actor=user,
        application_id=application.pk,
        owner_id=None,
        changes={"is_control_person": True, "ownership_percent": 60},
        source="page",
    )
    holder = add(user, application, "BENEFICIAL_OWNER", ownership_percent=40)
    save(user, application, person_steps(3), holder)
    save(user, application, {"owners": {"no_beneficial_owners": False}})
    accept(user, application)
    return Application.objects.get(pk=application.pk)


def foreigner(user: User, **identity: Any) -> Application:
    """A complete individual draft of somebody who lives in Germany."""
    application = services.application_start(actor=user, country="DE", source="page")
    given = answers.IDENTITY | {
        "tax_id_type": "NATIONAL_ID",
        "tax_id": "65 929 970 489",
        "tax_id_country": "DE",
    }
    employer = answers.EMPLOYMENT | {
        "employer_line1": "Werkstraße 2",
        "employer_city": "Berlin",
        "employer_state": "",
        "employer_postal_code": "10117",
        "employer_country": "DE",
    }
    save(
        user,
        application,
        {
            "identity": given | identity,
            "contact": {"email": "ana@example.test", "phone": "030 901820"},
            "address": BERLIN,
            "employment": employer,
            "investment": answers.INVESTMENT,
        },
    )
    accept(user, application)
    return Application.objects.get(pk=application.pk)


EVERY_TYPE = {
    "custodial": custodial,
    "trust": trust,
    "corporate": lambda user: entity(user, "CORPORATE"),
    "llc": lambda user: entity(user, "LLC"),
    "partnership": lambda user: entity(user, "PARTNERSHIP"),
    "limited partnership": lambda user: entity(user, "LIMITED_PARTNERSHIP"),
    "foreigner": foreigner,
}


def kept(application: Application, step: str) -> dict[str, Any]:
    """What the application keeps of a step of the applicant or the account."""
    draft = drafts.load(application)
    found = draft.step(step, None)
    assert found is not None
    return draft.answers(*found)
