"""The panel's pages: plain HTML and forms, for keyboards and screen readers, without scripts."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from lambdas.admin.pages import payments, prices, sign_in
from lambdas.admin.pages.shared import FILES, STATIC
from mercato.settings import Settings


def install(app: FastAPI, settings: Settings) -> None:
    """Serve the pages to people who signed in, and the pages' files below STATIC to everybody."""
    sign_in.install(app, settings)
    for page in (payments, prices):
        app.include_router(page.router, dependencies=[Depends(sign_in.signed_in)])
    app.mount(STATIC, StaticFiles(directory=FILES / "static"), name="static")
