"""Which OAuth scope each route asks for; API Gateway's authorizer enforces it.

Stdlib only: the templates import this module too.
"""

from __future__ import annotations

RECOMMEND = "mercato/recommend"
EVENTS = "mercato/events"
PAYMENTS = "mercato/payments"
READ = "mercato/read"
ADMIN = "mercato/admin"
#: Not a scope: the function itself asks who it is, as a browser sends no token with a page.
PEOPLE = "people who signed in"

#: Method, path, scope; `None` for what anyone may see. The page shows baskets, so it is not public.
ROUTES: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/v1/recommendations/{household_id}", RECOMMEND),
    ("POST", "/v1/events", EVENTS),
    ("POST", "/v1/events/{topic}", EVENTS),
    ("POST", "/v1/payments/decisions", PAYMENTS),
    ("GET", "/v1/households", READ),
    ("GET", "/v1/households/{household_id}", READ),
    ("GET", "/v1/stores/{store_id}/prices", READ),
    ("GET", "/v1/products/search", READ),
    ("GET", "/v1/products/suggestions", READ),
    ("GET", "/v1/products/{product_id}", READ),
    ("GET", "/v1/products/{product_id}/similar", READ),
    ("GET", "/", READ),
    ("GET", "/metrics", ADMIN),
    ("GET", "/v1/events/schemas", None),
    ("GET", "/healthz", None),
    ("GET", "/problems/{code}", None),
    ("GET", "/openapi.json", None),
    ("GET", "/docs", None),
    ("GET", "/static/{path+}", None),
)

#: The same of the admin panel, a function of its own.
ADMIN_ROUTES: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/admin", PEOPLE),
    ("GET", "/admin/v1/payments", ADMIN),
    ("POST", "/admin/v1/payments/{payment_id}/review", ADMIN),
    ("GET", "/admin/payments/{payment_id}/review", PEOPLE),
    ("POST", "/admin/payments/{payment_id}/review", PEOPLE),
    ("GET", "/admin/prices", PEOPLE),
    ("GET", "/admin/prices/decisions", PEOPLE),
    ("POST", "/admin/prices/decisions", PEOPLE),
    ("GET", "/admin/v1/prices", ADMIN),
    ("POST", "/admin/v1/prices/decisions", ADMIN),
    ("GET", "/admin/sign-in", None),
    ("GET", "/admin/signed-in", None),
    ("GET", "/admin/sign-out", None),
    ("GET", "/admin/openapi.json", None),
    ("GET", "/admin/static/{path+}", None),
)
