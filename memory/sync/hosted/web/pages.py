"""The pages: sign in by mail, see what is held, export, end sessions, restore, delete with time to think it over."""

import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from memory.sync import base64url
from memory.sync.hosted import accounts, deleting, exporting, sign_in
from memory.sync.hosted.callers import (
    COOKIE,
    PURGING,
    WEB,
    Caller,
    enter,
    find,
    network,
    service_of,
    token_hash,
)
from memory.sync.hosted.errors import Refusal, malformed
from memory.sync.hosted.mails import minute_text
from memory.sync.hosted.requests import SMALL, raw_body
from memory.sync.hosted.service import Service
from memory.sync.hosted.web import account_page, markup
from resources.language import gettext as _

router = APIRouter(include_in_schema=False)
PREFIXES = ("/web/", "/m/", "/account", "/x/")
_VERIFIER, _SESSION = "v.", "s."


@router.get("/style.css")
async def style(request: Request) -> Response:
    """Give the one style sheet."""
    await enter(request)
    return Response(markup.STYLE, media_type="text/css")


@router.get("/")
async def front(request: Request) -> Response:
    """Ask for the mail address."""
    await enter(request)
    return markup.page(
        _("Your sync account"),
        markup.paragraph(
            _(
                "Sign in here if you lost the app: see what is held, export it, end sessions, restore or delete."
            )
        ),
        markup.form(
            "/web/sign-in", _("Send me a code"), markup.field("email", _("Mail address"), "email", "email")
        ),
        markup.link("/privacy", _("What this service can see")),
    )


@router.post("/web/sign-in")
async def ask(request: Request) -> Response:
    """Mail a code; the cookie keeps what redeems it."""
    service = await enter(request)
    await service.limits.take(
        "magic-network", network(request), service.settings.magic_per_hour_network, 3600
    )
    fields = await _fields(request)
    verifier = secrets.token_bytes(32)
    await sign_in.ask_magic(service, fields.get("email", ""), hashlib.sha256(verifier).digest())
    response = markup.page(
        _("Look into your mail"),
        markup.paragraph(
            _("A code is on its way. Type it here, or open the link in the mail in this browser.")
        ),
        markup.form("/web/redeem", _("Sign in"), markup.field("code", _("Code"), complete="one-time-code")),
    )
    return _with_cookie(response, service, _VERIFIER + base64url.encode(verifier), 900)


@router.get("/m/{code}")
async def arrived(request: Request, code: str) -> Response:
    """Show the code of a mail. Nothing is used up yet: mail scanners follow links."""
    await enter(request)
    return markup.page(
        _("Sign in"),
        markup.paragraph(_("Type this code into the app, if you asked for it there:")),
        markup.code(code[:40]),
        markup.paragraph(_("If you asked for it in this browser:")),
        markup.form("/web/redeem", _("Sign in here"), markup.hidden("code", code[:40])),
    )


@router.post("/web/redeem")
async def redeem(request: Request) -> Response:
    """Begin a session of the page."""
    service = await enter(request)
    await service.limits.take("redeem-network", network(request), 60, 3600)
    fields = await _fields(request)
    cookie = request.cookies.get(COOKIE, "")
    if not cookie.startswith(_VERIFIER):
        raise Refusal(401, "code_refused", _("Ask for a code in this browser first."))
    try:
        verifier = base64url.decode(cookie.removeprefix(_VERIFIER), 32)
    except ValueError:
        raise Refusal(401, "code_refused", _("Ask for a code in this browser first.")) from None
    token, until = await sign_in.redeem(service, fields.get("code", ""), verifier, WEB)
    seconds = (until - service.now()) // 1000
    return _with_cookie(RedirectResponse("/account", 303), service, _SESSION + token, seconds)


@router.get("/account")
async def account(request: Request) -> Response:
    """Show what is held and what can be done."""
    service, caller = await _signed_in(request)
    return await account_page.show(service, caller)


@router.post("/account/export")
async def export(request: Request) -> Response:
    """Ask for an export and show its link."""
    service, caller = await _signed_in(request)
    fields = await _fields(request)
    kind = exporting.FULL if fields.get("kind") == exporting.FULL else exporting.METADATA
    asked = await exporting.ask(service, caller, kind, 24)
    return markup.page(
        _("Your export is being made"),
        markup.paragraph(
            _("Keep this link: it is shown only now. It works for 24 hours and five downloads.")
        ),
        markup.code(asked["link"]),
        markup.link(asked["link"], _("Open the link")),
        markup.link("/account", _("Back")),
    )


@router.post("/account/end-sessions")
async def end_sessions(request: Request) -> Response:
    """End every other session."""
    service, caller = await _signed_in(request)
    await accounts.end_others(service, caller)
    return RedirectResponse("/account", 303)


@router.post("/account/delete")
async def delete(request: Request) -> Response:
    """Begin the deletion of the account; every device can call it off."""
    service, caller = await _signed_in(request)
    fields = await _fields(request)
    if fields.get("confirmation", "").strip().casefold() != account_page.confirmation().casefold():
        raise malformed(_("the word was not typed as shown"))
    await deleting.by_web(service, caller)
    return RedirectResponse("/account", 303)


@router.post("/account/restore")
async def restore(request: Request) -> Response:
    """Call the deletion off."""
    service, caller = await _signed_in(request)
    await deleting.restore(service, caller, deleting.ACCOUNT, caller.account_id)
    return RedirectResponse("/account", 303)


@router.post("/account/sign-out")
async def sign_out(request: Request) -> Response:
    """End this session."""
    service, caller = await _signed_in(request)
    await accounts.end_session(service, caller, caller.session_id)
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE)
    return response


def export_page(row: Any, *, status: int = 200) -> Response:
    """Return the page in front of an export."""
    if row.state != exporting.READY:
        return markup.page(
            _("Not ready yet"),
            markup.paragraph(_("The export is still being made; load this page again soon.")),
            status=status,
        )
    left = exporting.MOST_DOWNLOADS - row.downloads
    return markup.page(
        _("An export from Bureau"),
        markup.table(
            [
                (_("Size"), account_page.size_text(row.size)),
                (_("Until"), minute_text(row.until)),
                (_("Downloads left"), str(left)),
            ]
        ),
        markup.form("", _("Download"))
        if left
        else markup.paragraph(_("It was fetched as often as it may be.")),
        status=status,
    )


def refused(request: Request, wrong: Refusal) -> Response:
    """Return a refusal as a page."""
    sentences = {
        401: _("Sign in again; a session lasts half an hour."),
        404: _("This link leads nowhere, or not any more."),
        409: _("This cannot be done now; look at the account again."),
        413: _("That was too much at once."),
        429: _("That was often enough for now. Try again later."),
    }
    sentence = sentences.get(wrong.status, wrong.detail)
    headers = {} if wrong.retry_after is None else {"Retry-After": str(wrong.retry_after)}
    response = markup.page(
        _("That did not work"),
        markup.paragraph(sentence, "note bad"),
        markup.link("/", _("To the beginning")),
        status=wrong.status,
    )
    response.headers.update(headers)
    return response


async def _signed_in(request: Request) -> tuple[Service, Caller]:
    service = await enter(request)
    cookie = request.cookies.get(COOKIE, "")
    caller = None
    if cookie.startswith(_SESSION):
        async with service.stores.records.read() as connection:
            caller = await find(connection, token_hash(cookie.removeprefix(_SESSION)), service.now())
    if caller is None or caller.kind != WEB or caller.state == PURGING:
        raise Refusal(401, "signed_out", _("Sign in again."))
    request.state.caller = caller
    if request.method == "POST":
        _same_origin(request)
    return service, caller


def _same_origin(request: Request) -> None:
    """Refuse forms of other sites, which a strict cookie keeps out already."""
    origin = request.headers.get("origin")
    if origin is not None and origin != service_of(request).settings.public_url:
        raise Refusal(403, "forbidden", _("This form came from another site."))


async def _fields(request: Request) -> dict[str, str]:
    _same_origin(request)
    body = await raw_body(request, SMALL)
    return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))


def _with_cookie(response: Response, service: Service, value: str, seconds: int) -> Response:
    response.set_cookie(
        COOKIE,
        value,
        max_age=seconds,
        path="/",
        secure=service.settings.secure,
        httponly=True,
        samesite="strict",
    )
    return response
