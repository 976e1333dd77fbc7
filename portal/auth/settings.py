"""django-allauth's settings: sign-up, e-mail verification, second factors, and tokens for mobile apps.

docs/decisions/0004-sign-in.md says why each rule is what it is.
"""

import environ

from portal.env import secret

_env = environ.Env()
_development = _env.str("ENVIRONMENT", default="development") != "production"
_portal_url = _env.str("PORTAL_URL", default="http://localhost:8000").rstrip("/")

# --- Accounts -----------------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "portal.auth.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "portal.auth.signup.NameForm"
ACCOUNT_FORMS = {
    "login": "portal.auth.forms.LoginForm",
    "signup": "portal.auth.forms.SignupForm",
    "add_email": "portal.auth.forms.AddEmailForm",
    "change_password": "portal.auth.forms.ChangePasswordForm",
    "reset_password": "portal.auth.forms.ResetPasswordForm",
    "reset_password_from_key": "portal.auth.forms.SetPasswordForm",
    "reauthenticate": "portal.auth.forms.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
#: A mail scanner that opens links must not verify an address: the page asks for a click.
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
#: One address per person; changing it takes effect when the new one is verified.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if _development else "https"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_USER_DISPLAY = "portal.auth.adapter.display_name"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "confirm_email": "1/3m/key",
}
#: How long a link to set a password works, invitations of staff included.
PASSWORD_RESET_TIMEOUT = 24 * 3600

# --- Second factors -----------------------------------------------------------------------------------------
MFA_ADAPTER = "portal.auth.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "portal.auth.forms.CodeForm",
    "reauthenticate": "portal.auth.forms.ReauthenticateCodeForm",
    "activate_totp": "portal.auth.forms.ActivateTOTPForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _development

# --- Mobile apps --------------------------------------------------------------------------------------------
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "portal.auth.tokens.TokenStrategy"  # noqa: S105
HEADLESS_JWT_PRIVATE_KEY = secret(_env, "HEADLESS_JWT_PRIVATE_KEY")
#: Without it an access token would outlive a log-out.
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 300
#: No longer than the session behind it lives (SESSION_COOKIE_AGE).
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 12 * 3600
HEADLESS_SERVE_SPECIFICATION = True
#: allauth's own page of the specification loads a script from a foreign host, which our CSP refuses.
HEADLESS_SPECIFICATION_TEMPLATE_NAME = None
#: Links in mails always lead to our own pages, whichever client asked and whatever Host header it sent.
HEADLESS_FRONTEND_URLS = {
    "account_confirm_email": f"{_portal_url}/account/confirm-email/{{key}}/",
    "account_reset_password": f"{_portal_url}/account/password/reset/",
    "account_reset_password_from_key": f"{_portal_url}/account/password/reset/key/{{key}}/",
    "account_signup": f"{_portal_url}/account/signup/",
}
