"""One of everything that an address can name, so that a refusal is a refusal and not a thing that is not there."""

from typing import Any
from uuid import uuid4

from compliance import services as compliance
from compliance.models import ApprovalRule, CaseExport, Queue, Rule, SavedView, WorkCalendar
from funding.models import (
    BankLogin,
    LinkedBank,
    LinkSession,
    MoneyRun,
    ReconciliationItem,
    Transfer,
    TransferDraft,
    TransferLimit,
    WireRecipient,
)
from onboarding.models import (
    Agreement,
    AgreementAcceptance,
    ChangeRequest,
    Document,
    HandIn,
    ImportBatch,
    ImportRow,
    Owner,
    ProviderAccount,
    Upload,
)
from portal import audit, clock
from portal.models import MailMessage, OutboundCall, Role, User
from providers.models import ProviderOutage
from tests.flow import submitted
from tests.onboarding.requests_support import ask
from tests.people import make_customer_user, make_staff
from tests.providers.inbox_support import stored

#: What stands in an address for a word of it.
WORDS = {"slug": "status", "secret": "none", "provider": "bakkt", "code": "forbidden", "field": "birth_date"}


def build() -> tuple[dict[str, User], dict[str, Any]]:
    """A user of each role, and what each name in an address stands for; "app:name/argument" where it differs there."""
    users = {role: make_staff(role) for role in Role.values if role != Role.CUSTOMER}
    customer = users["customer"] = make_customer_user()
    manager = users[Role.COMPLIANCE_MANAGER]
    application = submitted(customer)
    owner = Owner.objects.get(application=application, is_applicant=True)
    account = ProviderAccount.objects.get(application=application)
    request = ask(manager, application)
    question = ask(manager, application, types=[], in_words=True, source="case")
    document = Document.objects.create(
        application=application, owner=owner, type="PASSPORT", side="FRONT", country="US", size=1,
        content_type="image/png", sha256="0" * 64, file_key="none", uploaded_by=customer, scan="clean",
    )  # fmt: skip
    change = ChangeRequest.objects.create(
        account=account,
        owner=owner,
        field="birth_date",
        before={},
        wanted={},
        why="Typing",
        requested_by=customer,
    )
    batch = ImportBatch.objects.create(
        name="First wave", file_name="a.csv", columns=["a"], created_by=manager
    )
    row = ImportRow.objects.create(batch=batch, number=1, cells={"a": "b"})
    case = compliance.case_open(
        kind="onboarding.duplicate", subject=compliance.Subject.of(application, "Ana"), title="Same", facts={},
        source="page", dedupe="one", actor=users[Role.ONBOARDING_AGENT],
    )  # fmt: skip
    calendar = WorkCalendar.objects.create(
        name="Weekdays", time_zone="UTC", weekdays=[0], opens="09:00", closes="17:00"
    )
    queue = Queue.objects.create(name="Made up")
    transfer = Transfer.objects.create(
        account=account, status="completed", direction="deposit", rail="ach", origin="customer",
        amount_minor=10_000, reference="one",
    )  # fmt: skip
    transfer.enter()
    session = LinkSession.objects.create(
        account=account, started_by=customer, token_hash="0" * 64, token="none", expires_at=clock.now()
    )
    LinkedBank.objects.create(account=account, status="active", subtype="checking", reference="one")
    login = BankLogin.objects.create(
        account=account, session=session, token_hash="0" * 64, status="choose", accounts=[]
    )
    run = MoneyRun.objects.create(status="finished", since=clock.now())
    names = {
        "run_id": run.pk,
        "item_id": ReconciliationItem.objects.create(
            kind="missing_there", run=run, seen_run=run, key="one", party_ref="one", transfer=transfer
        ).pk,
        "step": "apply",
        "account_id": account.pk,
        "transfer_id": transfer.pk,
        "month": f"{clock.now():%Y-%m}",
        "session_id": session.pk,
        "link_id": session.pk,
        "login_id": login.pk,
        "draft_id": TransferDraft.objects.create(
            account=account, user=customer, direction="deposit", rail="ach", amount_minor=10_000
        ).pk,
        "recipient_id": WireRecipient.objects.create(
            account=account, bank_name="A bank", bank_address="There", routing_number="021000021",
            account_number="123456789", added_by=customer,
        ).pk,
        "application_id": application.pk,
        "owner_id": owner.pk,
        "customer_id": application.customer_id,
        "document_id": document.pk,
        "request_id": change.pk,
        "staff_documents/request_id": request.pk,
        "question/request_id": question.pk,
        "document_request_answer/request_id": question.pk,
        "agreement_id": Agreement.objects.earliest("pk").pk,
        "acceptance_id": AgreementAcceptance.objects.earliest("pk").pk,
        "batch_id": batch.pk,
        "import_doubt/row_id": row.pk,
        "row_id": owner.pk,
        "hand_in_id": HandIn.objects.create(batch=batch, per_minute=1, started_by=manager).pk,
        "upload_id": Upload.objects.create(
            application=application, user=customer, owner=owner, type="PASSPORT", side="FRONT", country="US",
            source="page", size=1,
        ).pk,
        "case_id": case.pk,
        "queue_id": queue.pk,
        "rule_id": Rule.objects.create(position=9, queue=queue).pk,
        "calendar_id": calendar.pk,
        "approval_rule_id": ApprovalRule.objects.create(kind="tests.none").pk,
        "view_id": SavedView.objects.create(owner=manager, name="Mine", query="status=open").pk,
        "export_id": CaseExport.objects.create(asked_by=manager, reason="A look", case_ids=[case.pk]).pk,
        "entry_id": audit.record("thing.done", subject=None).pk,
        "event_id": stored({"uuid": str(uuid4())}).pk,
        "call_id": OutboundCall.objects.earliest("pk").pk,
        "outage_id": ProviderOutage.objects.create(provider="bakkt", late_count=3).pk,
        "mail_id": MailMessage.objects.create(
            subject="A letter", content=dict.fromkeys(("to", "from", "text", "html"), "")
        ).pk,
        "limit_id": TransferLimit.objects.create(
            account=account, asker="staff", rail="ach", direction="deposit"
        ).pk,
        "asker": "staff",
        "rail": "ach",
        "direction": "deposit",
        "user_id": users[Role.ONBOARDING_AGENT].pk,
    }  # fmt: skip
    return users, names
