"""Staff addresses of applications."""

from django.urls import path

from onboarding.views import (
    agreements_staff,
    as_customer,
    assisted,
    doubts,
    files,
    funnel,
    hand_ins,
    holds,
    imports,
    migration,
    readback,
    reconciliation,
    settlement,
    shared_identity,
    staff,
    staff_uploads,
    typed,
)

app_name = "staff"
urlpatterns = [
    path("applications/", staff.applications, name="applications"),
    path("applications/behind/", funnel.applications_behind, name="applications_behind"),
    path("applications/start/", assisted.start, name="application_start"),
    path("applications/<uuid:application_id>/fill/", assisted.fill, name="application_fill"),
    path("applications/<uuid:application_id>/fill/<slug:name>/", assisted.step, name="application_step"),
    path(
        "applications/<uuid:application_id>/fill/<slug:name>/typed/",
        typed.by_staff,
        name="application_step_typed",
    ),
    path("applications/<uuid:application_id>/hand-over/", assisted.hand_over, name="application_hand_over"),
    path("applications/<uuid:application_id>/", staff.application, name="application"),
    path("applications/<uuid:application_id>/as-customer/", as_customer.page, name="as_customer"),
    path(
        "applications/<uuid:application_id>/as-customer/<slug:page>/",
        as_customer.page,
        name="as_customer_page",
    ),
    path("applications/<uuid:application_id>/compare/", readback.compare, name="compare"),
    path("applications/<uuid:application_id>/compare/send/", readback.resend, name="compare_resend"),
    path(
        "applications/<uuid:application_id>/compare/<uuid:owner_id>/<slug:step>/take/",
        readback.take,
        name="compare_take",
    ),
    path(
        "applications/<uuid:application_id>/documents/<uuid:document_id>/",
        files.document,
        name="document",
    ),
    path("files/<str:token>/", files.staff_file, name="file"),
    path("quarantine/<uuid:document_id>/", files.quarantined, name="document_quarantined"),
    path("applications/<uuid:application_id>/settlement/", settlement.settlement, name="settlement"),
    path(
        "applications/<uuid:application_id>/shared-identity/",
        shared_identity.shared_identity,
        name="shared_identity",
    ),
    path("applications/<uuid:application_id>/holds/", holds.holds, name="holds"),
    path(
        "applications/<uuid:application_id>/holds/<uuid:hold_id>/release/", holds.release, name="hold_release"
    ),
    path("applications/<uuid:application_id>/upload/", staff_uploads.upload, name="upload"),
    path(
        "applications/<uuid:application_id>/uploads", staff_uploads.StaffUploadsView.as_view(), name="uploads"
    ),
    path(
        "applications/<uuid:application_id>/uploads/<uuid:upload_id>",
        staff_uploads.StaffUploadView.as_view(),
        name="upload_parts",
    ),
    path("operations/reconciliation/", reconciliation.home, name="reconciliation"),
    path("operations/reconciliation/now/", reconciliation.run_now, name="reconciliation_now"),
    path("operations/reconciliation/list/", reconciliation.upload, name="reconciliation_list"),
    path("imports/", imports.batches, name="imports"),
    path("imports/new/", imports.upload, name="import_upload"),
    path("imports/migration/", migration.overview, name="migration"),
    path("imports/<uuid:batch_id>/migration/", migration.wave, name="import_migration"),
    path("imports/<uuid:batch_id>/grace/", migration.grace, name="import_grace"),
    path("imports/<uuid:batch_id>/ask/", migration.ask, name="import_ask"),
    path("imports/<uuid:batch_id>/hand-in/", hand_ins.hand_in_new, name="hand_in_new"),
    path("imports/<uuid:batch_id>/hand-in/<uuid:hand_in_id>/", hand_ins.hand_in, name="hand_in"),
    path(
        "imports/<uuid:batch_id>/hand-in/<uuid:hand_in_id>/progress/",
        hand_ins.progress,
        name="hand_in_progress",
    ),
    path("imports/<uuid:batch_id>/hand-in/<uuid:hand_in_id>/<slug:word>/", hand_ins.act, name="hand_in_act"),
    path("imports/<uuid:batch_id>/doubts/", doubts.doubts, name="import_doubts"),
    path("imports/<uuid:batch_id>/doubts/<uuid:row_id>/", doubts.decide, name="import_doubt"),
    path("imports/<uuid:batch_id>/", imports.batch, name="import"),
    path("imports/<uuid:batch_id>/columns/", imports.mapping, name="import_mapping"),
    path("imports/<uuid:batch_id>/progress/", imports.progress, name="import_progress"),
    path("imports/<uuid:batch_id>/start/", imports.start, name="import_start"),
    path("imports/<uuid:batch_id>/undo/", imports.undo_batch, name="import_undo"),
    path("imports/<uuid:batch_id>/failed-rows.csv", imports.failed_rows, name="import_failed_rows"),
    path("agreements/", agreements_staff.agreements, name="agreements"),
    path("agreements/new/", agreements_staff.start, name="agreement_start"),
    path("agreements/<uuid:agreement_id>/", agreements_staff.agreement, name="agreement"),
    path("agreements/<uuid:agreement_id>/edit/", agreements_staff.edit, name="agreement_edit"),
    path("agreements/<uuid:agreement_id>/preview/", agreements_staff.preview, name="agreement_preview"),
    path("agreements/<uuid:agreement_id>/publish/", agreements_staff.publish, name="agreement_publish"),
    path(
        "agreements/<uuid:agreement_id>/publish/confirm/", agreements_staff.confirm, name="agreement_confirm"
    ),
    path("agreements/<uuid:agreement_id>/retire/", agreements_staff.retire, name="agreement_retire"),
    path("agreements/<uuid:agreement_id>/accepted/", agreements_staff.accepted, name="agreement_accepted"),
    path("agreements/acceptances/<uuid:acceptance_id>/", agreements_staff.acceptance, name="acceptance"),
    path(
        "agreements/acceptances/<uuid:acceptance_id>/certificate.pdf",
        agreements_staff.certificate_file,
        name="acceptance_certificate",
    ),
]
