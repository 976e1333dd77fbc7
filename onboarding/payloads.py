"""From our rows to the provider's wire form (contract 4.2). The one place that knows both."""

from django_countries import countries

from onboarding.models import (
    Address,
    Application,
    Entity,
    InvestmentProfile,
    Owner,
    ProviderAccount,
    TrustedContact,
)
from onboarding.words import TaxIdType
from providers.bakkt import types as wire


def account_request(account: ProviderAccount) -> wire.AccountRequest:
    """The complete data set of the account, as creating and updating both send it (seed 000)."""
    application = account.application
    owners = (
        application.owners.select_related("employment")
        .prefetch_related("addresses", "acceptances__agreement")
        .order_by("pk")
    )
    return wire.AccountRequest(
        client_account_id=account.client_account_id,
        account_type=application.account_type,
        owners=tuple(_owner(owner) for owner in owners),
        investment_profile=_profile(application),
        entity=_entity(application),
        trusted_contacts=_trusted_contacts(application),
        settlement_method=application.settlement_method or None,
    )


def _owner(owner: Owner) -> wire.Owner:
    by_kind = {address.kind: address for address in owner.addresses.all()}
    home = _address(by_kind[Address.Kind.RESIDENTIAL])
    mailing = by_kind.get(Address.Kind.MAILING)
    return wire.Owner(
        role=owner.role,
        client_owner_id=str(owner.pk),
        email_address=owner.email,
        phone_number=owner.phone or None,
        mailing_address=_address(mailing) if mailing and not owner.mailing_same_as_home else home,
        identity=_identity(owner, home, by_kind.get(Address.Kind.EMPLOYER)),
        agreements=tuple(
            wire.Agreement(
                name=acceptance.agreement.name,
                version=acceptance.agreement.version,
                e_signed_date=acceptance.accepted_at,
            )
            for acceptance in sorted(owner.acceptances.all(), key=lambda row: row.accepted_at)
        ),
    )


def _identity(owner: Owner, home: wire.Address, employer: Address | None) -> wire.Identity:
    # The country of a US number is USA by default and need not be sent; people whose country issues no number
    # have all three tax fields left out (seed 000).
    numbered = owner.tax_id_type != TaxIdType.NONE and bool(owner.tax_id)
    foreign = owner.tax_id_type == TaxIdType.NATIONAL_ID
    return wire.Identity(
        given_name=owner.given_name,
        middle_names=owner.middle_names or None,
        family_name=owner.family_name,
        date_of_birth=owner.date_of_birth.reveal(),
        personal_address=home,
        tax_id=owner.tax_id.reveal() if numbered else None,
        tax_id_type=wire.TaxIdType[owner.tax_id_type].value if numbered else None,
        tax_id_country=countries.alpha3(owner.tax_id_country) if foreign else None,
        marital_status=owner.marital_status or None,
        employment=_employment(owner, employer),
    )


def _employment(owner: Owner, employer: Address | None) -> wire.Employment | None:
    """The employer, or nothing for people without one: the object names an employer or it is left out.

    The contract is silent about the retired, students and others; the schema lets the whole object be absent.
    """
    employment = getattr(owner, "employment", None)
    if employment is None or not employment.has_employer:
        return None
    return wire.Employment(
        employer_name=employment.employer_name,
        position=employment.position,
        years_employed=employment.years_employed,
        employer_address=_address(employer) if employer else None,
    )


def _address(address: Address) -> wire.Address:
    return wire.Address(
        street_address=tuple(address.street_lines),
        city=address.city,
        state=address.state or None,
        postal_code=address.postal_code or None,
        country=countries.alpha3(address.country.code),
    )


def _profile(application: Application) -> wire.InvestmentProfile | None:
    profile = InvestmentProfile.objects.filter(application=application).first()
    if profile is None:
        return None
    return wire.InvestmentProfile(
        account_goals=wire.AccountGoals(
            investment_objective=profile.investment_objective,
            liquidity_needs=profile.liquidity_needs or None,
            risk_tolerance=profile.risk_tolerance or None,
            time_horizon=profile.time_horizon or None,
        ),
        customer_profile=wire.CustomerProfile(
            annual_income_range_usd=profile.annual_income_range,
            liquid_net_worth_range_usd=profile.liquid_net_worth_range or None,
            total_net_worth_range_usd=profile.total_net_worth_range or None,
            investment_experience=profile.investment_experience or None,
            federal_tax_bracket=profile.federal_tax_bracket,
            source_of_funds=profile.source_of_funds or None,
        ),
    )


def _entity(application: Application) -> wire.Entity | None:
    entity = Entity.objects.filter(application=application).prefetch_related("addresses").first()
    if entity is None:
        return None
    by_kind = {address.kind: address for address in entity.addresses.all()}
    return wire.Entity(
        entity_legal_name=entity.legal_name,
        entity_type=application.entity_type,
        entity_tax_id=entity.tax_id.reveal(),
        entity_email_address=entity.email,
        entity_phone_number=entity.phone,
        operating_address=_address(by_kind[Address.Kind.OPERATING]),
        registered_address=_address(by_kind[Address.Kind.REGISTERED]),
        operating_industry=entity.operating_industry,
        entity_formation_date=entity.formation_date,
        entity_offerings=entity.offerings or None,
        entity_registration_status=entity.registration_status or None,
        operating_countries=tuple(countries.alpha3(code) for code in entity.operating_countries),
        daily_notional_trading_volume_usd_range=entity.daily_trading_volume or None,
        daily_transaction_volume_usd_range=entity.daily_transaction_volume or None,
        firm_annual_net_income=entity.annual_net_income or None,
        firm_liquid_net_worth_usd_range=entity.liquid_net_worth or None,
        firm_total_net_worth_usd_range=entity.total_net_worth or None,
        investment_experience=entity.investment_experience or None,
        investment_objective=entity.investment_objective or None,
        source_of_currency=entity.source_of_currency or None,
        source_of_funds=entity.source_of_funds or None,
        subject_to_aml_regulations=entity.subject_to_aml,
    )


def _trusted_contacts(application: Application) -> tuple[wire.TrustedContact, ...]:
    found = TrustedContact.objects.filter(application=application).prefetch_related("addresses")
    return tuple(
        wire.TrustedContact(
            given_name=contact.given_name,
            family_name=contact.family_name,
            middle_names=contact.middle_names or None,
            email_address=contact.email or None,
            phone_number=contact.phone or None,
            mailing_address=next((_address(row) for row in contact.addresses.all()), None),
        )
        for contact in found
    )
