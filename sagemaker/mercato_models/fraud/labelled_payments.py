"""A shop's own payments, and what they turned out to be, as the model learns from them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.tables.silver import PAYMENT_OUTCOMES
from mercato.contracts.tables.silver import PAYMENTS as PAID
from mercato_models import checks
from mercato_models.fraud.payments import Payments, PaymentsError

_P, _O = PAID.c, PAYMENT_OUTCOMES.c


def payments_of(paid: pd.DataFrame, outcomes: pd.DataFrame) -> Payments:
    """Payments whose outcome is known, by time, up to the newest that turned out honest by itself.

    Frauds are known sooner, and so is what people reviewed: of later payments these alone have an outcome.

    Args:
        paid: rows of silver.payments.
        outcomes: rows of silver.payment_outcomes; of a payment with several the newest counts, of two of the
            same instant a fraud, as online.

    Raises:
        PaymentsError: no payment has an outcome, or none turned out honest but by review.
        CheckError: it is not known when, where, with which card or for how much one was made.
    """
    by_age = outcomes.sort_values([_O.event_time, _O.fraud, _O.event_id])
    newest = by_age.drop_duplicates(_O.payment_id, keep="last")
    known = paid.merge(
        newest[[_O.payment_id, _O.fraud, _O.reviewer]],
        left_on=_P.event_id,
        right_on=_O.payment_id,
        how="inner",
    )
    if known.empty:
        raise PaymentsError(
            f"none of {len(paid)} payments is among {len(outcomes)} outcomes: there is nothing to learn from"
        )
    checks.check_known(known, [_P.event_time, _P.card_id, _P.terminal_id, _P.amount, _O.fraud])
    honest = known[~known[_O.fraud].astype(bool) & known[_O.reviewer].isna()]
    if honest.empty:
        raise PaymentsError(
            f"none of {len(known)} payments with an outcome turned out honest but by review: "
            "send the outcomes of honest payments, too, once nobody can dispute them any more"
        )
    known = known[known[_P.event_time] <= honest[_P.event_time].max()]
    known = known.sort_values([_P.event_time, _P.event_id], kind="stable")
    second = known[_P.event_time].to_numpy("datetime64[s]").astype(np.int64)
    first_day = int(second[0]) // DAY_SECONDS
    return Payments(
        np.datetime64(first_day, "D"),
        second - first_day * DAY_SECONDS,
        pd.factorize(known[_P.card_id], sort=True)[0].astype(np.int64),
        pd.factorize(known[_P.terminal_id], sort=True)[0].astype(np.int64),
        known[_P.amount].to_numpy(np.float64),
        known[_O.fraud].to_numpy(bool),
        known[_P.household_id].to_numpy(np.int64),
    )
