"""The certificate of one acceptance, as a PDF that prints a name in any script."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC

from django.conf import settings

from onboarding.agreements.acceptance import audit_entry_of
from onboarding.models.agreements import AgreementAcceptance
from portal import audit
from portal.keyring import parse_ring
from portal.models import User
from portal.pdf import BLACK, GREY, new_sheet, paragraph

SHOWN_DIGITS = 24


@dataclass(frozen=True)
class Line:
    """A fact of the certificate and its name."""

    label: str
    value: str


def certificate_pdf(acceptance: AgreementAcceptance, *, actor: User, source: str) -> bytes:
    """The certificate's bytes; that it was given out is recorded."""
    lines = certificate_lines(acceptance)
    audit.record(
        "agreement.certificate",
        subject=acceptance,
        actor=actor,
        source=source,
        after={"agreement": acceptance.agreement.name, "version": acceptance.agreement.version},
    )
    return _drawn(f"Acceptance of the {acceptance.agreement.title}", lines, acceptance)


def certificate_lines(acceptance: AgreementAcceptance) -> list[Line]:
    """What the certificate says, in order; pages of staff show the same."""
    agreement, owner = acceptance.agreement, acceptance.owner
    entry = audit_entry_of(acceptance)
    signer = acceptance.accepted_by or owner.application.customer.user
    accepted_at = acceptance.accepted_at.astimezone(UTC)
    return [
        Line("Agreement", agreement.title),
        Line("Name and version", f"{agreement.name}, version {agreement.version}"),
        Line("SHA-256 of what was shown", acceptance.text_sha256),
        Line("Accepted for", owner.full_name or "Name not given"),
        Line("As", f"{owner.get_role_display()} of account {owner.application.reference}"),
        Line("Tax number", str(owner.tax_id) if owner.tax_id else "None given"),
        Line("Accepted by", f"{signer.name or 'Name not given'}, {masked_email(signer.email)}"),
        Line("Accepted at", f"{accepted_at:%Y-%m-%d %H:%M:%S} UTC"),
        Line("From the address", acceptance.ip or "Unknown"),
        Line("With", acceptance.user_agent or "Unknown"),
        Line("Audit entry", str(entry.pk) if entry else "None"),
        Line("Certificate", str(acceptance.pk)),
    ]


def masked_email(email: str) -> str:
    """An e-mail that its owner recognises and nobody else can write to."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def check_codes(acceptance: AgreementAcceptance) -> dict[str, str]:
    """The codes that prove a certificate ours, by the id of the key: the first is printed, older ones still count."""
    facts = "\n".join(
        str(part)
        for part in (
            acceptance.pk,
            acceptance.owner_id,
            acceptance.agreement_id,
            acceptance.text_sha256,
            acceptance.accepted_at.astimezone(UTC).isoformat(),
            acceptance.accepted_by_id or "",
            acceptance.ip or "",
            acceptance.user_agent,
        )
    )
    found = {}
    for name, key in parse_ring(settings.AUDIT_KEYS, "AUDIT_KEYS").items():
        # A key of its own, so that no code could pass for a seal of the audit trail.
        own = hmac.new(key, b"agreement certificate", hashlib.sha256).digest()
        digits = hmac.new(own, facts.encode(), hashlib.sha256).hexdigest()[:SHOWN_DIGITS].upper()
        found[name] = "-".join(digits[place : place + 4] for place in range(0, SHOWN_DIGITS, 4))
    return found


def verification_line(acceptance: AgreementAcceptance) -> str:
    """The line that says how to find out whether a certificate is genuine."""
    key_id, code = next(iter(check_codes(acceptance).items()))
    return (
        f"Check code {code} ({key_id}). {settings.PARTNER_NAME} compares it on request: "
        f"write to {settings.SUPPORT_EMAIL} and name the certificate and the code."
    )


# --- Drawing ------------------------------------------------------------------------------------------------


def _drawn(title: str, lines: list[Line], acceptance: AgreementAcceptance) -> bytes:
    verification = verification_line(acceptance)
    sheet = new_sheet(title, "".join([verification, *(line.value for line in lines)]))
    paragraph(sheet, title, 18)
    sheet.ln(4)
    for line in lines:
        sheet.set_text_color(*GREY)
        paragraph(sheet, line.label, 9)
        sheet.set_text_color(*BLACK)
        paragraph(sheet, line.value, 11)
        sheet.ln(2)
    sheet.ln(4)
    sheet.set_text_color(*GREY)
    paragraph(sheet, verification, 9)
    return bytes(sheet.output())
