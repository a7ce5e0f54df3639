"""Who opens a page: a person who signed in at an OpenID Connect provider, remembered by a signed cookie.

On AWS the provider is Cognito, where people are invited and have a second factor. Programs send a token
instead, which API Gateway checks before the panel is asked. On one machine nobody signs in.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import boto3
import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Depends, FastAPI, Request
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import RedirectResponse, Response

from lambdas.admin.pages.shared import PAYMENTS, PRICES, SIGN_OUT, render
from lambdas.admin.people import PERSON, UNTIL, caller_of
from mercato.errors import MercatoError
from mercato.settings import Settings

log = logging.getLogger(__name__)

SIGN_IN, SIGNED_IN = f"{PAYMENTS}/sign-in", f"{PAYMENTS}/signed-in"
#: A working day. Whoever is no longer invited stays until then.
SESSION = timedelta(hours=8)
#: That the provider may take.
_PATIENCE_SECONDS = 5.0
_THEN = "then"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in.

    Attributes:
        client: of OpenID Connect.
        panel: address of the panel, as browsers and the provider know it.
    """

    client: Any
    panel: str


class NotSignedInError(Exception):
    """A page is asked for by nobody in particular."""


async def _provider(request: Request) -> Provider | None:
    provider: Provider | None = request.app.state.provider
    return provider


UseProvider = Annotated[Provider | None, Depends(_provider)]


async def signed_in(request: Request, provider: UseProvider) -> None:
    """Let a person who signed in see a page; on one machine, everybody.

    Raises:
        NotSignedInError: it is somebody else; answered with the way to sign in.
    """
    if provider and caller_of(request.scope) is None:
        raise NotSignedInError


@router.get(SIGN_IN)
async def get_sign_in(request: Request, provider: UseProvider, then: str = PAYMENTS) -> Response:
    """Send the person to the provider, and remember the page that was asked for."""
    if provider is None:
        return RedirectResponse(PAYMENTS, 303)
    request.session.clear()  # of what was begun and never ended
    request.session[_THEN] = then if _own_page(then) else PAYMENTS
    try:
        sent: Response = await provider.client.authorize_redirect(request, _address(provider, SIGNED_IN))
    except httpx2.HTTPError as error:
        return _refused(request, error, HTTPStatus.BAD_GATEWAY)
    return sent


@router.get(SIGNED_IN)
async def get_signed_in(request: Request, provider: UseProvider) -> Response:
    """Take what the provider says of the person, and go on to the page that was asked for."""
    if provider is None:
        return RedirectResponse(PAYMENTS, 303)
    then = request.session.get(_THEN, PAYMENTS)
    try:
        claims = (await provider.client.authorize_access_token(request))["userinfo"]
        person = claims["email"]
    except httpx2.HTTPError as error:
        return _refused(request, error, HTTPStatus.BAD_GATEWAY)
    except (AuthlibBaseError, JoseError, KeyError, ValueError) as error:
        return _refused(request, error, HTTPStatus.UNAUTHORIZED)
    request.session.clear()
    request.session[PERSON] = person
    request.session[UNTIL] = int((datetime.now(UTC) + SESSION).timestamp())
    return RedirectResponse(then, 303)


@router.get(SIGN_OUT)
async def get_sign_out(request: Request, provider: UseProvider) -> Response:
    """Forget the person, here and at the provider."""
    if provider is None:
        return RedirectResponse(PAYMENTS, 303)
    request.session.clear()
    try:
        known = await provider.client.load_server_metadata()
    except httpx2.HTTPError as error:
        return _refused(request, error, HTTPStatus.BAD_GATEWAY)
    query = {"client_id": provider.client.client_id, "logout_uri": _address(provider, PAYMENTS)}
    return RedirectResponse(f"{known['end_session_endpoint']}?{urlencode(query)}", 303)


def install(app: FastAPI, settings: Settings) -> None:
    """Ask people to sign in, if the settings say where.

    Raises:
        MercatoError: a setting that this needs is missing.
    """
    app.state.provider = None
    app.include_router(router)
    if settings.sign_in_discovery_url is None:
        return
    panel = settings.require("admin_url")
    client = OAuth().register(
        "people",
        client_id=settings.sign_in_client_id,
        server_metadata_url=settings.sign_in_discovery_url,
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "none",
            "timeout": _PATIENCE_SECONDS,
        },
    )
    app.state.provider = Provider(client, panel)
    encrypted = urlsplit(panel).scheme == "https"
    app.add_middleware(
        SessionMiddleware,
        secret_key=_session_key(settings),
        session_cookie="__Host-mercato" if encrypted else "mercato",  # no other host of the domain may set it
        max_age=int(SESSION.total_seconds()),
        same_site="lax",  # the provider's answer brings it along, a form of another site does not
        https_only=encrypted,
    )

    @app.exception_handler(NotSignedInError)
    async def on_not_signed_in(request: Request, _error: NotSignedInError) -> Response:
        if request.method == "GET":
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(_sign_in(asked), 303)
        # A form leads nowhere else (HEADERS), and going back still shows what was typed.
        return _told(request, "You were signed out, so nothing was done.", HTTPStatus.UNAUTHORIZED)


def _session_key(settings: Settings) -> str:
    if settings.session_secret_arn is None:
        raise MercatoError("Sessions need a key: set MERCATO_SESSION_SECRET_ARN.")
    found = boto3.client("secretsmanager").get_secret_value(SecretId=settings.session_secret_arn)
    key: str = found["SecretString"]
    return key


def _sign_in(then: str) -> str:
    return f"{SIGN_IN}?{urlencode({_THEN: then})}"


def _own_page(address: str) -> bool:
    """Whether it is a page of this panel, so that no link sends people elsewhere after they signed in."""
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc and parts.path in {PAYMENTS, PRICES}


def _address(provider: Provider, page: str) -> str:
    return provider.panel + page.removeprefix(PAYMENTS)


def _refused(request: Request, error: Exception, status: HTTPStatus) -> Response:
    log.warning("sign-in failed: %r", error)
    request.session.clear()
    return _told(request, "Signing in did not work.", status)


def _told(request: Request, message: str, status: HTTPStatus) -> Response:
    return render(request, "signed_out.html", {"message": message, "sign_in": SIGN_IN}, status)
