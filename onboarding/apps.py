"""The onboarding app: registers its operations, its webhook handler and what it does about late answers."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "onboarding"

    def ready(self) -> None:
        # Everything here needs the models, which exist only now.
        from compliance import kinds  # noqa: PLC0415
        from compliance import selectors as find_cases  # noqa: PLC0415
        from onboarding import (  # noqa: PLC0415
            document_checks,
            document_jobs,
            events,
            given_up,
            jobs,
            look_up,
            operations,
            selectors,
            services,
            settlement_jobs,
            update_jobs,
        )
        from onboarding.cases import closures, duplicates, expired, identity, quarantine, restricted  # noqa: PLC0415
        from onboarding.cases import given_up as given_up_case  # noqa: PLC0415
        from onboarding.cases import search as search_cases  # noqa: PLC0415
        from onboarding.cases import updates as updates_case  # noqa: PLC0415
        from onboarding.reconciliation import wiring  # noqa: PLC0415
        from portal import metrics, outbox  # noqa: PLC0415
        from portal.ui import nav  # noqa: PLC0415
        from providers import expected, inbox  # noqa: PLC0415

        kinds.register(duplicates.kind)
        kinds.register(updates_case.kind)
        kinds.register(restricted.kind)
        kinds.register(closures.kind)
        kinds.register(quarantine.kind)
        kinds.register(identity.call)
        kinds.register(identity.exhausted)
        kinds.register(expired.kind)
        find_cases.register_subject_search(search_cases.subjects)
        nav.register_count("applications", selectors.applications_for_a_person)
        metrics.register_gauge(
            "portal_documents_unchecked_seconds",
            "Age of the oldest uploaded file that waits for its check",
            "kind",
            document_checks.waiting_seconds,
        )
        outbox.register(services.SAVE_ACCOUNT, given_up.Watched(jobs.AccountSave()))
        outbox.register(services.COMPARE, given_up.Watched(update_jobs.Compare()))
        outbox.register(services.UPDATE, given_up.Watched(update_jobs.Update()))
        outbox.register(operations.UPLOAD, given_up.Watched(document_jobs.DocumentUpload()))
        outbox.register(operations.LOOK_UP, look_up.LookUp())
        outbox.register(operations.KYB_TRIGGER, given_up.Watched(document_jobs.KybTrigger()))
        outbox.register(operations.SETTLEMENT, settlement_jobs.SettlementUpdate())
        jobs.register_reader(update_jobs.apply_reading)
        wiring.register()
        kinds.register(given_up_case.kind)
        inbox.register("bakkt", events.BakktEvents())
        inbox.register_subject_page("onboarding.provideraccount", selectors.staff_page_of_account)
        expected.register(services.PARTY_STATUS, jobs.account_read)
