"""allauth's forms drawn our way, and setting a password by the link we mailed."""

from typing import Any

from allauth.account import forms as account
from allauth.account.models import EmailAddress
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from django import forms

HINT = "At least 12 characters. A few unrelated words make a good one."


#: What to do when a field is empty, by field name.
MISSING = {
    "name": "Enter your name.",
    "email": "Enter your e-mail address.",
    "login": "Enter your e-mail address.",
    "password": "Enter your password.",
    "oldpassword": "Enter your current password.",
    "password1": "Choose a password.",
    "password2": "Enter the new password once more.",
    "code": "Enter the code.",
}


class Plain(forms.Form):
    """Labels stay, placeholders that repeat them go; codes get the keyboard of digits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in MISSING:
                field.error_messages["required"] = MISSING[name]
            if name in {"login", "email"}:
                field.label = "E-mail address"
            if name == "login":
                field.widget.attrs["autocomplete"] = "username"
            if field.widget.attrs.get("autocomplete") == "new-password":
                field.help_text = HINT if name == "password1" else ""
        if "code" in self.fields:
            self.fields["code"].widget.attrs |= {"inputmode": "numeric", "class": "input--code"}


class LoginForm(Plain, account.LoginForm):  # type: ignore[misc]
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class SignupForm(Plain, account.SignupForm):  # type: ignore[misc]
    """Name, e-mail, password."""

    field_order = ["name", "email", "password1"]


class AddEmailForm(Plain, account.AddEmailForm):  # type: ignore[misc]
    """The new address."""


class ChangePasswordForm(Plain, account.ChangePasswordForm):  # type: ignore[misc]
    """The old password and the new one."""


class ResetPasswordForm(Plain, account.ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link."""


class ReauthenticateForm(Plain, account.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""


class SetPasswordForm(Plain, account.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password by the link we mailed. The link proves the address, so it is verified too."""

    def save(self) -> None:
        """Set the password and verify the address."""
        super().save()
        addresses = list(EmailAddress.objects.filter(user=self.user))
        # With several addresses we do not know to which one the link went.
        if len(addresses) == 1 and addresses[0].set_verified():
            addresses[0].set_as_primary(conditional=True)


class CodeForm(Plain, mfa.AuthenticateForm):  # type: ignore[misc]
    """A code of the authenticator app, or a recovery code."""


class ReauthenticateCodeForm(Plain, mfa.ReauthenticateForm):  # type: ignore[misc]
    """A code once more."""


class ActivateTOTPForm(Plain, AllauthActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new authenticator app."""
