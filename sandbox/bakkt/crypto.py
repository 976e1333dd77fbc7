"""The account-opening family, `/apex-crypto/api`. Wire contract, section 4.1."""

from django.http.response import HttpResponseBase
from django.urls import path

from sandbox.bakkt import accounts, documents, papers
from sandbox.bakkt.answers import error, find
from sandbox.bakkt.jurisdictions import listed
from sandbox.endpoint import Answer, Request, endpoint
from sandbox.state import Json
from sandbox.world import World

FAMILY = "bakkt-crypto"
REFUSED_LOGON = "wrong"


@endpoint("login", method="POST", family=FAMILY, error=error, token=False)
def login(world: World, request: Request) -> Json:
    body = request.body if isinstance(request.body, dict) else {}
    logon, password = body.get("logonId"), body.get("password")
    if not isinstance(logon, str) or not isinstance(password, str):
        raise Answer(400, error(400, "logonId and password are required"))
    if logon == REFUSED_LOGON:
        raise Answer(401, error(401, "Invalid logon or password"))
    return {"token": world.issue_token(FAMILY)}


@endpoint("status", method="GET", family=FAMILY, error=error, token=False)
def status(world: World, request: Request) -> str:
    return "ok"


@endpoint("config", method="GET", family=FAMILY, error=error)
def config(world: World, request: Request) -> Json:
    return {"streamingQuoteUrl": "wss://stream.sandbox.invalid/quotes"}


@endpoint("save_account", method="POST", family=FAMILY, error=error)
def save_account(world: World, request: Request) -> Json:
    account = accounts.save(world, request.body, origin=request.origin)
    with world.look():
        return accounts.shown(world, account)


@endpoint("read_account", method="GET", family=FAMILY, error=error)
def read_account(world: World, request: Request, ref: str) -> Json:
    with world.look():
        return accounts.shown(world, find(world, ref))


@endpoint("read_status", method="GET", family=FAMILY, error=error)
def read_status(world: World, request: Request, ref: str) -> Json:
    with world.look():
        return accounts.opening_status(find(world, ref))


@endpoint("trigger_kyb", method="POST", family=FAMILY, error=error)
def trigger_kyb(world: World, request: Request, ref: str) -> str:
    accounts.screen_entity(world, ref)
    return "success"


@endpoint("recover_kyc_transfer", method="POST", family=FAMILY, error=error)
def recover_kyc_transfer(world: World, request: Request, ref: str) -> str:
    accounts.recover_transfer(world, ref, request.body)
    return "success"


@endpoint("update_settlement", method="POST", family=FAMILY, error=error)
def update_settlement(world: World, request: Request) -> Json:
    with world.change():
        return accounts.change_settlement(world, request.body)


@endpoint("upload_document", method="POST", family=FAMILY, error=error, form=True)
def upload_document(world: World, request: Request) -> Json:
    return documents.shown(documents.upload(world, request.plain))


@endpoint("download_document", method="GET", family=FAMILY, error=error)
def download_document(world: World, request: Request, key: str) -> HttpResponseBase:
    with world.look():
        return documents.binary(world, documents.find_document(world, key))


@endpoint("read_document", method="GET", family=FAMILY, error=error)
def read_document(world: World, request: Request, key: str) -> Json:
    with world.look():
        return documents.shown(documents.find_document(world, key))


@endpoint("list_documents", method="GET", family=FAMILY, error=error)
def list_documents(world: World, request: Request, ref: str) -> Json:
    with world.look():
        kept = papers.of_account(world, find(world, ref))
        return {"documentMetadata": [documents.metadata(document) for document in kept]}


@endpoint("jurisdictions", method="GET", family=FAMILY, error=error)
def jurisdictions(world: World, request: Request) -> Json:
    return {"jurisdictions": listed(request.plain.GET.dict())}


@endpoint("jurisdictions_deprecated", method="GET", family=FAMILY, error=error)
def jurisdictions_deprecated(world: World, request: Request) -> Json:
    return {"jurisdictions": listed(request.plain.GET.dict())}


API = "apex-crypto/api"
urlpatterns = [
    path(f"{API}/status", status),
    path(f"{API}/v2/login", login),
    path(f"{API}/v2/config", config),
    path(f"{API}/v2/accounts", save_account),
    path(f"{API}/v2/accounts/triggerKYBScreening/<str:ref>", trigger_kyb),
    path(f"{API}/v2/accounts/kycTransferRecovery/<str:ref>", recover_kyc_transfer),
    path(f"{API}/v2/accounts/settlementMethod/update", update_settlement),
    path(f"{API}/v2/accounts/<str:ref>", read_account),
    path(f"{API}/v2/accounts/<str:ref>/status", read_status),
    path(f"{API}/v2/documents", upload_document),
    path(f"{API}/v2/documents/<str:key>", download_document),
    path(f"{API}/v2/documents/<str:key>/metadata", read_document),
    path(f"{API}/v2/documents/<str:ref>/accountDocumentMetadata", list_documents),
    path(f"{API}/v2/jurisdictions/all", jurisdictions),
    path(f"{API}/v2/jurisdictions", jurisdictions_deprecated),
]
