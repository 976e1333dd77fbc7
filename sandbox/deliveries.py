"""Webhooks on their way: the queue, the faults that befall them, and the thread that sends them."""

import json
import threading
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

import requests

from sandbox import faults
from sandbox.clock import iso
from sandbox.plaid import signing
from sandbox.state import Json, Webhook
from sandbox.world import World

LONGEST_BACKOFF = 300.0
# The second of two swapped messages leaves this much after the first.
SWAP_GAP = 0.3
# An early message is sent by the call itself; the postman's turn comes only should the process die meanwhile.
KEEP_FROM_POSTMAN = 600.0
WRONG_SECRET = "not-the-secret"  # noqa: S105  (what an unsigned message carries in place of the secret)


def queue(world: World, body: Json, *, announce: bool = True) -> list[Webhook]:
    """Queue a message and whatever the faults make of it. The caller holds the lock. Returns what was queued
    for sending."""
    now = world.clock.now()
    hook = Webhook(
        id=str(uuid.uuid4()),
        account=str(body["partnerPartyRef"]),
        text=json.dumps(body),
        created=world.clock.now(),
        due=now,
    )
    return queue_message(world, hook, str(body["partnerWebhookType"])) if announce else []


def queue_message(world: World, hook: Webhook, kind: str) -> list[Webhook]:
    """Queue a message ready to be sent, and whatever the faults aimed at its kind make of it; see queue."""
    now = hook.due
    world.state.webhooks.append(hook)
    if faults.take(world, "webhook_lost", kind):
        hook.state, hook.note = "lost", "lost by a fault"
        return []
    if faults.take(world, "webhook_unsigned", kind):
        hook.unsigned, hook.note = True, "sent without the secret"
    if late := faults.take(world, "webhook_late", kind):
        hook.due, hook.note = now + (late.seconds or 60.0), "made late by a fault"
    queued = [hook]
    if double := faults.take(world, "webhook_duplicate", kind):
        for _ in range(double.times - 1):
            copy = Webhook(**{**vars(hook), "id": str(uuid.uuid4()), "attempts": []})
            copy.note = f"copy of {hook.id[:8]}"
            world.state.webhooks.append(copy)
            queued.append(copy)
    return _swap(world, queued, kind)


def _swap(world: World, queued: list[Webhook], kind: str) -> list[Webhook]:
    """Let a held message of the same account follow this one, or hold this one if the fault asks for it."""
    held = [h for h in world.state.webhooks if h.state == "held" and h.account == queued[0].account]
    if held:
        for hook in held:
            hook.state, hook.due = "queued", max(hook.due, world.clock.now()) + SWAP_GAP
        return queued
    if faults.take(world, "webhook_out_of_order", kind):
        for hook in queued:
            hook.state, hook.note = "held", "held until the next one of this account has left"
        return []
    return queued


def keep_for_caller(hooks: list[Webhook]) -> None:
    """Keep the postman from messages that the call itself sends before it is answered."""
    for hook in hooks:
        hook.due += KEEP_FROM_POSTMAN
        hook.note = "sent before the answer to the call that caused it"


def send_early(world: World, hooks: list[Webhook]) -> None:
    """Send what is to arrive before our caller is answered. Not under the lock: the receiver may call us."""
    for hook in hooks:
        send(world, hook.id)


def release_held(world: World) -> None:
    for hook in world.state.webhooks:
        if hook.state == "held":
            hook.state = "queued"


def send(world: World, webhook_id: str) -> bool:
    """One attempt, recorded. Whether it was answered 2xx; False too when it is no longer to be sent."""
    # Not worth a writing: after a crash a message is sent again, whether it was queued or being sent.
    with world.look() as state:
        hook = next((h for h in state.webhooks if h.id == webhook_id and h.state == "queued"), None)
        if hook is None:
            return False
        hook.state = "sending"
        url, headers = _addressed(state.settings.webhook_url, hook)
        timeout = state.settings.webhook_timeout
    began = time.monotonic()
    status, problem = _post(url, hook.text, timeout, headers)
    with world.change() as state:
        ok = status is not None and 200 <= status < 300
        hook.attempts.append(
            {
                "at": iso(world.clock.now()),
                "status": status,
                "error": problem,
                "milliseconds": round((time.monotonic() - began) * 1000),
            }
        )
        tries, settings = len(hook.attempts), state.settings
        if ok:
            hook.state = "delivered"
        elif tries >= settings.webhook_attempts:
            hook.state = "failed"
        else:
            hook.state = "queued"
            hook.due = world.clock.now() + min(settings.webhook_backoff * 2 ** (tries - 1), LONGEST_BACKOFF)
    return ok


def _addressed(usual: str, hook: Webhook) -> tuple[str, dict[str, str]]:
    """Where the message goes, and the headers by which it proves itself, or does not."""
    if hook.url:
        return hook.url, {signing.HEADER: signing.signature(hook.text, wrong=hook.unsigned)}
    return address(usual, unsigned=hook.unsigned), {}


def _post(url: str, text: str, timeout: float, headers: dict[str, str]) -> tuple[int | None, str]:
    if not url:
        return None, "no webhook address is set"
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the machine has no business here
        try:
            answer = session.post(
                url,
                data=text.encode(),
                headers={"Content-Type": "application/json", "User-Agent": "sandbox-stand-in"} | headers,
                timeout=timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, ValueError) as problem:
            # The exception's own text repeats the address and with it the secret.
            return None, type(problem).__name__
    return answer.status_code, "" if answer.ok else answer.reason[:80]


def address(url: str, *, unsigned: bool = False, shown: bool = False) -> str:
    """The webhook address, its last path segment (the secret) replaced for unsigned messages or for show."""
    if not (unsigned or shown) or not url:
        return url
    parts = urlsplit(url)
    segments = parts.path.rstrip("/").split("/")
    segments[-1] = "•••" if shown else WRONG_SECRET
    slash = "/" if parts.path.endswith("/") else ""
    return urlunsplit(parts._replace(path="/".join(segments) + slash))


class Postman(threading.Thread):
    """The one thread that sends what is due, in the order it fell due."""

    def __init__(self, world: World) -> None:
        super().__init__(name="postman", daemon=True)
        self.world = world

    def run(self) -> None:
        while True:
            with self.world.moved:
                waiting = [h for h in self.world.state.webhooks if h.state == "queued"]
                first = min(waiting, key=lambda h: h.due, default=None)
                rest = None if first is None else first.due - self.world.clock.now()
                if first is None or rest is None or rest > 0:
                    self.world.moved.wait(rest)
                    continue
            send(self.world, first.id)


def settle(world: World, seconds: float = 20.0) -> int:
    """Wait until nothing due is left unsent; how many messages still wait (for a retry, or held)."""
    end = time.monotonic() + seconds
    with world.moved:
        while time.monotonic() < end:
            now = world.clock.now()
            if not any(
                h.state == "sending" or (h.state == "queued" and h.due <= now) for h in world.state.webhooks
            ):
                break
            world.moved.wait(0.2)
        return sum(h.state in ("queued", "held", "sending") for h in world.state.webhooks)
