"""The panel's pages: plain HTML and forms, for keyboards and screen readers, without scripts."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from lambdas.admin.pages import payments, prices
from lambdas.admin.pages.shared import FILES, STATIC


def install(app: FastAPI) -> None:
    """Serve the pages, and their files below STATIC."""
    app.include_router(payments.router)
    app.include_router(prices.router)
    app.mount(STATIC, StaticFiles(directory=FILES / "static"), name="static")
