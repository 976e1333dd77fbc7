"""The staff forms of the identity check."""

from typing import Any

from django import forms

from onboarding.identity.delivery import SOME_WAY


class DeliveryForm(forms.Form):
    """The ways a link reaches the customer."""

    in_app = forms.BooleanField(
        label="In this portal",
        required=False,
        help_text="The customer's page and the API open the link. A link that the customer asks for here is opened "
        "here in any case: nobody else sends it.",
    )
    sms_by_vendor = forms.BooleanField(
        label="SMS by the identity service",
        required=False,
        help_text="Agreed with the provider: their identity service sends the first link to the customer's phone.",
    )
    mail_by_provider = forms.BooleanField(
        label="E-mail by the provider",
        required=False,
        help_text="Agreed with the provider: they send the first link to the customer's e-mail address.",
    )
    mail_by_us = forms.BooleanField(
        label="Letters by us",
        required=False,
        help_text="We write when a link is here and twelve hours before it ends. The letter leads to our page, after "
        "sign-in, and never holds the link.",
    )
    fieldsets = (
        (
            "How the link reaches the customer",
            "At least one. The provider switches these at their side when you ask them; they have published no way "
            "for us to switch them. Set here what you have agreed: our pages tell customers accordingly.",
            ["in_app", "sms_by_vendor", "mail_by_provider"],
        ),
        ("What we write ourselves", "", ["mail_by_us"]),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not any(found.get(name) for name in ("in_app", "sms_by_vendor", "mail_by_provider")):
            self.add_error("in_app", SOME_WAY)
        return found
