"""Who opens a page: a person who signed in at an OpenID Connect provider, remembered by a signed cookie.

On AWS the provider is Cognito, where people are invited and have a second factor. Programs send a token
instead, which API Gateway checks before the panel is asked. On one machine nobody signs in.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import boto3
import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Depends, FastAPI, Request
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import RedirectResponse, Response

from lambdas.admin.pages.shared import PAYMENTS, PRICES, SIGN_OUT, render
from lambdas.admin.people import PERSON, UNTIL, caller_of, person_of
from mercato.errors import MercatoError
from mercato.settings import Settings

log = logging.getLogger(__name__)

SIGN_IN, SIGNED_IN = f"{PAYMENTS}/sign-in", f"{PAYMENTS}/signed-in"
#: A working day. Whoever is no longer invited stays until then.
SESSION = timedelta(hours=8)
#: That the provider may take.
_PATIENCE_SECONDS = 5.0
_THEN = "then"
#: Where people may be sent after they signed in: no link leads them elsewhere by way of the panel.
_PAGE = re.compile(rf"({PAYMENTS}|{PRICES})(\?[\w=&]{{1,80}})?")
#: The provider is away, or what it answers is no OpenID Connect.
_AWAY = (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, ValueError)
#: The provider, or what it says, lets nobody in.
_REFUSED = (AuthlibBaseError, JoseError, KeyError)

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

    def address(self, page: str) -> str:
        """Of a page, for people who may have come under another name of the panel."""
        return self.panel + page.removeprefix(PAYMENTS)


class NotSignedInError(Exception):
    """Nobody is signed in."""


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
    request.session[_THEN] = then if _PAGE.fullmatch(then) else PAYMENTS
    try:
        sent: Response = await provider.client.authorize_redirect(request, provider.address(SIGNED_IN))
    except _AWAY as error:
        return _failed(request, error, HTTPStatus.BAD_GATEWAY)
    return sent


@router.get(SIGNED_IN)
async def get_signed_in(request: Request, provider: UseProvider) -> Response:
    """Take what the provider says of the person, and go on to the page that was asked for."""
    if provider is None:
        return RedirectResponse(PAYMENTS, 303)
    then = request.session.get(_THEN, PAYMENTS)
    try:
        person = _confirmed((await provider.client.authorize_access_token(request))["userinfo"])
    except MismatchingStateError as error:
        if person_of(request.scope):  # of another tab, which was faster
            return RedirectResponse(then, 303)
        return _failed(request, error, HTTPStatus.UNAUTHORIZED)
    except _REFUSED as error:
        return _failed(request, error, HTTPStatus.UNAUTHORIZED)
    except _AWAY as error:
        return _failed(request, error, HTTPStatus.BAD_GATEWAY)
    request.session.clear()
    request.session[PERSON] = person
    request.session[UNTIL] = int((datetime.now(UTC) + SESSION).timestamp())
    return RedirectResponse(then, 303)


@router.get(SIGN_OUT)
async def get_sign_out(request: Request, provider: UseProvider) -> Response:
    """Have the browser and the provider forget the person."""
    if provider is None:
        return RedirectResponse(PAYMENTS, 303)
    request.session.clear()
    try:
        ending = (await provider.client.load_server_metadata())["end_session_endpoint"]
    except (*_AWAY, KeyError) as error:
        log.warning("the provider does not sign out: %s: %s", type(error).__name__, error)
        message = "You are signed out here, but perhaps not where you signed in."
        return _told(request, "Signed out", message, HTTPStatus.BAD_GATEWAY)
    # Cognito's name of what OpenID Connect calls `post_logout_redirect_uri`.
    query = {"client_id": provider.client.client_id, "logout_uri": provider.address(PAYMENTS)}
    return RedirectResponse(f"{ending}?{urlencode(query)}", 303)


def install(app: FastAPI, settings: Settings) -> None:
    """Ask people to sign in, if the settings say where.

    Raises:
        MercatoError: a setting that this needs is missing.
    """
    app.state.provider = None
    app.include_router(router)
    if settings.sign_in_discovery_url is None:
        return
    if settings.sign_in_client_id is None or settings.session_secret_arn is None:
        raise MercatoError(
            "Signing in needs a client and a key too: set MERCATO_SIGN_IN_CLIENT_ID and "
            "MERCATO_SESSION_SECRET_ARN."
        )
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
    provider = app.state.provider = Provider(client, settings.require("admin_url"))
    encrypted = urlsplit(provider.panel).scheme == "https"
    app.add_middleware(
        SessionMiddleware,
        secret_key=_secret(settings.session_secret_arn),
        session_cookie="__Host-mercato" if encrypted else "mercato",  # no other host of the domain may set it
        max_age=int(SESSION.total_seconds()),
        same_site="lax",  # the provider's answer brings it along, a form of another site does not
        https_only=encrypted,
    )

    @app.exception_handler(NotSignedInError)
    async def on_not_signed_in(request: Request, _error: NotSignedInError) -> Response:
        if request.method == "GET":
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{provider.address(SIGN_IN)}?{urlencode({_THEN: asked})}", 303)
        # Not by the provider: HEADERS let a form lead nowhere else.
        message = "You were signed out, so nothing was done."
        return _told(request, "Signed out", message, HTTPStatus.UNAUTHORIZED)


def _secret(arn: str) -> str:
    found: str = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return found


def _confirmed(claims: Mapping[str, Any]) -> str:
    """The person's e-mail address.

    Raises:
        KeyError: there is none, or nobody confirmed that it is the person's.
    """
    if claims.get("email_verified") is not True:
        raise KeyError("email_verified")
    return str(claims["email"])


def _failed(request: Request, error: Exception, status: HTTPStatus) -> Response:
    log.warning("sign-in failed: %s: %s", type(error).__name__, error)
    return _told(request, "Not signed in", "Signing in did not work.", status)


def _told(request: Request, title: str, message: str, status: HTTPStatus) -> Response:
    return render(
        request, "signed_out.html", {"title": title, "message": message, "sign_in": SIGN_IN}, status
    )
