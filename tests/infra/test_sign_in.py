"""People sign in to the admin panel at a user pool, as a browser does, and decide under their own names."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import msgspec
import pytest

from infra.emulator.account import session
from infra.emulator.servers import Emulator
from lambdas.admin import people
from lambdas.admin.app import create_app
from lambdas.scopes import ADMIN_ROUTES, PEOPLE
from mercato.contracts.events import PAYMENT_OUTCOMES, PaymentDecided, PaymentOutcome
from mercato.errors import MercatoError
from mercato.local.ports import free_port
from mercato.online.cases import CaseBook
from mercato.online.connection import connect
from mercato.settings import Settings
from tests.integration.records import consume
from tests.integration.rig import served

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]

ADA, PASSWORD = "ada@shop.example", "A-long-enough-passphrase-1"


@dataclass(frozen=True)
class Pool:
    """A user pool that knows Ada."""

    emulator: Emulator
    pool_id: str

    @property
    def discovery_url(self) -> str:
        return f"{self.emulator.endpoint}/{self.pool_id}/.well-known/openid-configuration"

    def client_of(self, panel: str) -> str:
        """Id of a client with which people come back to one panel only."""
        created = aws(self.emulator, "cognito-idp").create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="panel",
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid", "email"],
            CallbackURLs=[f"{panel}/signed-in"],
            LogoutURLs=[panel],
            SupportedIdentityProviders=["COGNITO"],
        )
        found: str = created["UserPoolClient"]["ClientId"]
        return found


def aws(emulator: Emulator, service: str) -> Any:
    return session().client(service, endpoint_url=emulator.endpoint)


@pytest.fixture(scope="module")
def pool(emulator: Emulator) -> Pool:
    cognito = aws(emulator, "cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="people", UsernameAttributes=["email"])["UserPool"]["Id"]
    address = [{"Name": "email", "Value": ADA}]
    cognito.admin_create_user(UserPoolId=pool_id, Username=ADA, UserAttributes=address)
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=ADA, Password=PASSWORD, Permanent=True)
    return Pool(emulator, pool_id)


@pytest.fixture
def asking(topics: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a panel that asks for people of the pool."""
    for name, value in pool.emulator.environment().items():
        monkeypatch.setenv(name, value)
    key = aws(pool.emulator, "secretsmanager").create_secret(Name=str(topics.home), SecretString="k" * 64)
    panel = f"http://127.0.0.1:{free_port()}/admin"
    return topics.model_copy(
        update={
            "admin_url": panel,
            "sign_in_discovery_url": pool.discovery_url,
            "sign_in_client_id": pool.client_of(panel),
            "session_secret_arn": key["ARN"],
        }
    )


@pytest.fixture
def panel(asking: Settings) -> Iterator[str]:
    """Address of that panel."""
    address = asking.require("admin_url")
    with served(create_app(asking), urlsplit(address).port or 0):
        yield address


@pytest.fixture
def visitor() -> Iterator[httpx2.Client]:
    with httpx2.Client(follow_redirects=True, timeout=30) as visitor:
        yield visitor


@pytest.fixture
def payment(topics: Settings) -> str:
    """Id of a payment that waits for a review."""
    number, now = uuid.uuid4().hex, datetime.now(UTC)
    decided = PaymentDecided(
        event_id=number,
        event_time=now,
        payment_id=number,
        paid_at=now,
        card_id="1-1",
        terminal_id="2-2",
        amount=9.5,
        action="review",
        probability=0.4,
        reasons=[],
        model_version="1",
    )
    assert CaseBook(connect(topics)).open([decided])
    return number


def submit(visitor: httpx2.Client, page: httpx2.Response, **typed: str) -> httpx2.Response:
    """Fill in the provider's form and send it, as a browser would."""
    form = re.search(r'<form method="POST" action="([^"]*)".*?</form>', page.text, re.DOTALL)
    assert form, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
    assert hidden
    fields = {name: unescape(value) for name, value in hidden} | typed
    return visitor.post(urljoin(str(page.url), form[1]), data=fields)


def enter(visitor: httpx2.Client, page: str) -> httpx2.Response:
    """Ask for a page as Ada, by way of the provider's form."""
    return submit(visitor, visitor.get(page), username=ADA, password=PASSWORD)


def test_who_signs_in_sees_the_page_that_was_asked_for_and_decides_under_that_name(
    panel: str, visitor: httpx2.Client, topics: Settings, payment: str
) -> None:
    wanted = f"{panel}/prices?store=1"
    assert "/oauth2/authorize" in str(visitor.get(wanted).url)
    entered = enter(visitor, wanted)
    assert (entered.status_code, str(entered.url)) == (HTTPStatus.OK, wanted)
    assert f"Signed in as {ADA}" in entered.text

    told = {"note": "Called the holder", "fraud": "true", "reviewer": "bob"}
    reviewed = visitor.post(f"{panel}/payments/{payment}/review", data=told)
    assert (reviewed.status_code, str(reviewed.url)) == (HTTPStatus.OK, panel)
    assert 'name="reviewer"' not in reviewed.text
    outcomes = [
        msgspec.json.decode(each.value(), type=PaymentOutcome)
        for each in consume(topics, PAYMENT_OUTCOMES.name)
    ]
    assert [(each.payment_id, each.reviewer) for each in outcomes] == [(payment, ADA)]


def test_nobody_else_sees_a_page_or_decides(panel: str, visitor: httpx2.Client, payment: str) -> None:
    seen = visitor.get(panel, follow_redirects=False)
    assert (seen.status_code, payment in seen.text) == (HTTPStatus.SEE_OTHER, False)
    told = {"note": "Called the holder", "fraud": "true", "reviewer": "bob"}
    refused = visitor.post(f"{panel}/payments/{payment}/review", data=told)
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert "You were signed out, so nothing was done." in refused.text
    assert payment in enter(visitor, panel).text  # it still waits


@pytest.mark.parametrize(
    ("method", "page"), [(method, page) for method, page, who in ADMIN_ROUTES if who == PEOPLE]
)
def test_no_page_is_without_its_guard(panel: str, visitor: httpx2.Client, method: str, page: str) -> None:
    address = panel + page.removeprefix("/admin").format(payment_id="p1")
    answer = visitor.request(method, address, follow_redirects=False)
    refused = HTTPStatus.SEE_OTHER if method == "GET" else HTTPStatus.UNAUTHORIZED
    assert answer.status_code == refused
    assert method != "GET" or answer.headers["location"].startswith(f"{panel}/sign-in?")


def test_a_session_ends_after_a_day_of_work_and_a_browsers_if_somebody_signs_out(
    panel: str, visitor: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(visitor, panel)
    later = time.time() + 8 * 3600
    monkeypatch.setattr(people, "time", type("Clock", (), {"time": staticmethod(lambda: later)}))
    assert visitor.get(panel, follow_redirects=False).status_code == HTTPStatus.SEE_OTHER
    monkeypatch.undo()
    assert visitor.get(panel, follow_redirects=False).status_code == HTTPStatus.OK
    out = visitor.get(f"{panel}/sign-out", follow_redirects=False)
    assert parse_qs(urlsplit(out.headers["location"]).query)["logout_uri"] == [panel]
    assert "/oauth2/authorize" in str(visitor.get(out.headers["location"]).url)


def test_a_cookie_that_somebody_made_is_worth_nothing(panel: str, visitor: httpx2.Client) -> None:
    enter(visitor, panel)
    content, rest = visitor.cookies["mercato"].split(".", 1)
    visitor.cookies.set("mercato", f"{content[:-4]}AAAA.{rest}", domain="127.0.0.1", path="/")
    assert visitor.get(panel, follow_redirects=False).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    "foreign",
    [
        "https://thief.example/admin",
        "//thief.example/admin",
        "/admin@thief.example",
        "/admin/v1/payments",
        "javascript:1",
        "//[",
        f"/admin?offset={'9' * 5_000}",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(panel: str, visitor: httpx2.Client, foreign: str) -> None:
    form = visitor.get(f"{panel}/sign-in", params={"then": foreign})
    assert str(submit(visitor, form, username=ADA, password=PASSWORD).url) == panel


def test_an_answer_that_nobody_asked_for_lets_nobody_in(panel: str, visitor: httpx2.Client) -> None:
    """Else somebody could have others decide under a name of his own."""
    stranger = httpx2.Client(follow_redirects=False, timeout=30)
    begun = stranger.get(f"{panel}/sign-in")
    form = stranger.get(begun.headers["location"])
    answer = submit(stranger, form, username=ADA, password=PASSWORD).headers["location"]
    taken = visitor.get(answer)
    assert taken.status_code == HTTPStatus.UNAUTHORIZED
    assert "Signing in did not work." in taken.text
    assert visitor.get(panel, follow_redirects=False).status_code == HTTPStatus.SEE_OTHER


def test_of_two_tabs_both_get_in(panel: str, visitor: httpx2.Client) -> None:
    first, second = visitor.get(panel), visitor.get(f"{panel}/prices")
    late = submit(visitor, first, username=ADA, password=PASSWORD)
    assert late.status_code == HTTPStatus.UNAUTHORIZED  # the second has taken its place
    assert str(submit(visitor, second, username=ADA, password=PASSWORD).url) == f"{panel}/prices"
    again = submit(visitor, first, username=ADA, password=PASSWORD)
    assert (again.status_code, f"Signed in as {ADA}" in again.text) == (HTTPStatus.OK, True)


def test_an_address_that_nobody_confirmed_is_nobodys(panel: str, visitor: httpx2.Client, pool: Pool) -> None:
    address = [{"Name": "email", "Value": "cfo@shop.example"}, {"Name": "email_verified", "Value": "false"}]
    cognito = aws(pool.emulator, "cognito-idp")
    eve = {"UserPoolId": pool.pool_id, "Username": "cfo@shop.example"}
    cognito.admin_create_user(**eve, UserAttributes=address)
    cognito.admin_set_user_password(**eve, Password=PASSWORD, Permanent=True)
    answer = submit(visitor, visitor.get(panel), username=eve["Username"], password=PASSWORD)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert visitor.get(panel, follow_redirects=False).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    ("page", "said"), [("", "Signing in did not work."), ("/sign-out", "signed out here")]
)
def test_a_provider_that_is_away_is_told(
    asking: Settings, visitor: httpx2.Client, page: str, said: str
) -> None:
    away = asking.model_copy(update={"sign_in_discovery_url": "http://127.0.0.1:1/"})
    address = asking.require("admin_url")
    with served(create_app(away), urlsplit(address).port or 0):
        answer = visitor.get(f"{address}{page}")
    assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert said in answer.text


def test_a_session_is_for_https_and_this_host_alone(asking: Settings, visitor: httpx2.Client) -> None:
    address = asking.require("admin_url")
    public = asking.model_copy(update={"admin_url": "https://panel.shop.example/admin"})
    with served(create_app(public), urlsplit(address).port or 0):
        asked = visitor.get(f"{address}/prices", follow_redirects=False)
        begun = visitor.get(f"{address}/sign-in", follow_redirects=False)
    # Under whatever name people come, they sign in where they are sent back to.
    assert asked.headers["location"].startswith("https://panel.shop.example/admin/sign-in?")
    name, *attributes = begun.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-mercato=")
    assert {"path=/", "secure", "httponly", "samesite=lax"} <= set(attributes)


@pytest.mark.parametrize("missing", ["session_secret_arn", "sign_in_client_id"])
def test_half_a_sign_in_is_refused_at_the_start(asking: Settings, missing: str) -> None:
    with pytest.raises(MercatoError, match=f"MERCATO_{missing.upper()}"):
        create_app(asking.model_copy(update={missing: None}))
