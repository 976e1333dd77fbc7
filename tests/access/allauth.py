"""Who opens what of django-allauth's own addresses, which are about one's own account alone: no role has more there.

For each address and method one of

- "public": anybody,
- "stranger": who is not signed in; who is, is led to where they are at home,
- "signed in": anybody with a session, of staff with their second factor shown,
- "midway": who is in the middle of signing in or signing up, and nobody else,
- "own": who is signed in, what is theirs; what is another's is not there,
- "leave": anybody, and afterwards nobody is signed in,
- "off": nobody, since the product does without it.
"""

from tests.access.table import Methods

FORM = {"GET": "signed in", "POST": "signed in"}
OPEN_FORM = {"GET": "public", "POST": "public"}
AT_THE_DOOR = {"GET": "stranger", "POST": "stranger"}
MIDWAY = {"GET": "midway", "POST": "midway"}
ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")
OFF = dict.fromkeys(ANY, "off")

PAGES: dict[str, Methods] = {
    "account_login": AT_THE_DOOR,
    "account_signup": AT_THE_DOOR,
    "account_logout": {"GET": "signed in", "POST": "leave"},
    "account_inactive": {"GET": "public"},
    "account_reauthenticate": FORM,
    "account_email": FORM,
    "account_email_verification_sent": {"GET": "public"},
    "account_confirm_email": OPEN_FORM,
    "account_change_password": FORM,
    "account_set_password": FORM,
    "account_reset_password": OPEN_FORM,
    "account_reset_password_done": {"GET": "public"},
    "account_reset_password_from_key": OPEN_FORM,
    "account_reset_password_from_key_done": {"GET": "public"},
    "account_confirm_login_code": MIDWAY,
    "mfa_index": {"GET": "signed in"},
    "mfa_authenticate": MIDWAY,
    "mfa_reauthenticate": FORM,
    "mfa_activate_totp": FORM,
    "mfa_deactivate_totp": FORM,
    "mfa_view_recovery_codes": {"GET": "signed in"},
    "mfa_generate_recovery_codes": FORM,
    "mfa_download_recovery_codes": {"GET": "signed in"},
    "mfa_list_webauthn": {"GET": "signed in"},
    "mfa_add_webauthn": FORM,
    "mfa_reauthenticate_webauthn": FORM,
    "mfa_remove_webauthn": {"GET": "own", "POST": "own"},
    "mfa_edit_webauthn": {"GET": "own", "POST": "own"},
    "mfa_login_webauthn": AT_THE_DOOR,
}
_ACCOUNT, _MFA = "headless:app:account:", "headless:app:mfa:"
#: Apps say who they are by their session token.
REST: dict[str, Methods] = {
    "headless:openapi_yaml": {"GET": "public"},
    "headless:openapi_json": {"GET": "public"},
    "headless:app:config": {"GET": "public"},
    "headless:app:tokens:refresh": {"POST": "public"},
    f"{_ACCOUNT}current_session": {"GET": "signed in", "DELETE": "leave"},
    f"{_ACCOUNT}reauthenticate": {"POST": "signed in"},
    f"{_ACCOUNT}request_password_reset": {"POST": "public"},
    f"{_ACCOUNT}reset_password": {"GET": "public", "POST": "public"},
    f"{_ACCOUNT}login": {"POST": "public"},
    f"{_ACCOUNT}signup": {"POST": "public"},
    f"{_ACCOUNT}verify_email": {"GET": "public", "POST": "public"},
    f"{_ACCOUNT}resend_email_verification_code": {"POST": "midway"},
    f"{_ACCOUNT}change_password": {"POST": "signed in"},
    f"{_ACCOUNT}manage_email": dict.fromkeys(ANY, "signed in"),
    f"{_ACCOUNT}confirm_login_code": OFF,
    f"{_ACCOUNT}verify_phone": OFF,
    f"{_ACCOUNT}resend_phone_verification_code": OFF,
    f"{_ACCOUNT}manage_phone": OFF,
    f"{_MFA}authenticate": {"POST": "midway"},
    f"{_MFA}reauthenticate": {"POST": "signed in"},
    f"{_MFA}authenticate_webauthn": MIDWAY,
    f"{_MFA}reauthenticate_webauthn": FORM,
    f"{_MFA}login_webauthn": OPEN_FORM,
    f"{_MFA}authenticators": {"GET": "signed in"},
    f"{_MFA}manage_totp": {"GET": "signed in", "POST": "signed in", "DELETE": "signed in"},
    f"{_MFA}manage_recovery_codes": FORM,
    f"{_MFA}manage_webauthn": dict.fromkeys(("GET", "POST", "PUT", "DELETE"), "signed in"),
}

#: A member of the staff whose session showed no second factor opens these, to show it or to leave;
BEFORE_FACTOR = frozenset(
    {
        "account_login", "account_logout", "account_reauthenticate", "mfa_authenticate", "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)  # fmt: skip
#: one who has none yet also these, to set one up.
TO_ENROL = frozenset({"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_change_password"})
