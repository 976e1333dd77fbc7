"""The onboarding app: registers its operations, its webhook handler and what it does about late answers."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "onboarding"

    def ready(self) -> None:
        # Everything here needs the models, which exist only now.
        from compliance import dossier, kinds, said  # noqa: PLC0415
        from compliance import personal as personal_of_cases  # noqa: PLC0415
        from compliance import selectors as find_cases  # noqa: PLC0415
        from compliance.casefile import hooks  # noqa: PLC0415
        from onboarding import (  # noqa: PLC0415
            audit_subjects,
            case_file,
            document_checks,
            document_jobs,
            events,
            finding,
            funnel,
            given_up,
            jobs,
            look_up,
            operations,
            personal,
            questions,
            selectors,
            services,
            settlement_jobs,
            shared_identity_jobs,
            update_jobs,
        )
        from onboarding.cases import (  # noqa: PLC0415
            closures,
            duplicates,
            expired,
            identity,
            provider,
            quarantine,
            restricted,
        )
        from onboarding.cases import given_up as given_up_case  # noqa: PLC0415
        from onboarding.cases import privacy as privacy_cases  # noqa: PLC0415
        from onboarding.cases import search as search_cases  # noqa: PLC0415
        from onboarding.cases import updates as updates_case  # noqa: PLC0415
        from onboarding.dossier import anchors, known, part  # noqa: PLC0415
        from onboarding.reconciliation import wiring  # noqa: PLC0415
        from portal import audit_search, metrics, outbox  # noqa: PLC0415
        from portal import finding as people  # noqa: PLC0415
        from portal.ui import nav  # noqa: PLC0415
        from providers import expected, inbox  # noqa: PLC0415
        from providers.bakkt import routing  # noqa: PLC0415
        from providers.bakkt.events import PARTY_EVENT  # noqa: PLC0415

        kinds.register(duplicates.kind)
        kinds.register(updates_case.kind)
        kinds.register(restricted.kind)
        kinds.register(closures.kind)
        kinds.register(quarantine.kind)
        kinds.register(identity.call)
        kinds.register(identity.exhausted)
        kinds.register(expired.kind)
        for kind in provider.ALL:
            kinds.register(kind)
        personal.register_fields()
        personal_of_cases.register(personal.sealed_of_case)
        said.register(questions.said)
        hooks.register_files("answers", case_file.answers)
        dossier.register(anchors.APPLICATION, part.of_application)
        dossier.register_questions(anchors.APPLICATION, known.questions)
        dossier.register_further(anchors.APPLICATION, part.further)
        dossier.register_happenings(anchors.APPLICATION, part.happenings)
        people.register(finding.find)
        personal_of_cases.register_shut(personal.why_shut)
        kinds.register(privacy_cases.export)
        kinds.register(privacy_cases.erasure)
        find_cases.register_subject_search(search_cases.subjects)
        audit_search.register_finder(audit_subjects.named)
        for subject_type in audit_subjects.types():
            audit_search.register_page(subject_type, audit_subjects.page_of(subject_type))
            hooks.register_subject(subject_type, case_file.contribution_of(subject_type))
        nav.register_count("applications", lambda _: selectors.applications_for_a_person())
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
        outbox.register(operations.SETTLEMENT, given_up.Watched(settlement_jobs.SettlementUpdate()))
        outbox.register(
            operations.SHARED_IDENTITY, given_up.Watched(shared_identity_jobs.SharedIdentityImport())
        )
        jobs.register_reader(update_jobs.apply_reading)
        wiring.register()
        funnel.register()
        kinds.register(given_up_case.kind)
        routing.register(PARTY_EVENT, events.PartyEvents())
        inbox.register_subject_page("onboarding.provideraccount", selectors.staff_page_of_account)
        expected.register(services.PARTY_STATUS, jobs.account_read)
