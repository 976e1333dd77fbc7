"""The compliance app. The kinds of cases are registered by the apps that open them (compliance/kinds.py)."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        # The models exist only now.
        from compliance import selectors  # noqa: PLC0415
        from portal.ui import nav  # noqa: PLC0415

        nav.register_count("cases", selectors.cases_to_take, needs="case.work")
