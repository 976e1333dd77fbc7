"""The compliance app. The kinds of cases are registered by the apps that open them (compliance/kinds.py)."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        # The models exist only now.
        from django.urls import reverse  # noqa: PLC0415

        from compliance import dashboard, figures, finding, panels, quality_panel, selectors  # noqa: PLC0415
        from compliance.casefile import attachments, hooks  # noqa: PLC0415
        from portal import audit_search  # noqa: PLC0415
        from portal import finding as people  # noqa: PLC0415
        from portal.ui import nav  # noqa: PLC0415

        hooks.register_files("attachments", attachments.attachments_of)
        hooks.leave_out("compliance.casepresence")
        audit_search.register_finder(selectors.named_in_audit)
        audit_search.register_page("compliance.case", lambda key: reverse("cases:detail", args=[key]))
        people.register(finding.find, last=True)
        figures.register(figures.CASES)
        dashboard.register()
        panels.register(quality_panel.PANEL)
        nav.register_count("cases", selectors.cases_to_take, needs="case.work")
