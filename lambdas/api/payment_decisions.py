"""Whether to let a payment pass: what is known of card and terminal, the model, what actions cost."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from lambdas.api.payment_schemas import PaymentDecision, PaymentToDecide
from lambdas.api.scorer import Scorer
from lambdas.schemas import WhyPart
from mercato.contracts.events import PaymentDecided
from mercato.decisions.fraud import CODES, SENTENCES, Action, Costs, Reason, decide, review_threshold
from mercato.online.reader import OnlineFeatures
from mercato_models.fraud.live import GIVEN, given


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do with a payment, and what that rests on.

    Attributes:
        decided: for `payment_decisions.v1`.
        review_from: probability from which such an amount is not simply approved.
        card_payments: earlier payments that are known of the card.
        terminal_outcomes: payments at the terminal whose outcome is known.
    """

    decided: PaymentDecided
    review_from: float
    card_payments: int
    terminal_outcomes: int

    def answer(self, recorded: bool) -> PaymentDecision:
        """In the words of the API."""
        decided = self.decided
        return PaymentDecision(
            payment_id=decided.payment_id,
            recorded=recorded,
            action=Action(decided.action),
            probability=decided.probability,
            review_from=self.review_from,
            reasons=[WhyPart(code=each, text=SENTENCES[Reason(each)]) for each in decided.reasons],
            card_payments=self.card_payments,
            terminal_outcomes=self.terminal_outcomes,
            model_version=decided.model_version,
        )


class PaymentJudge:
    """Decides on payments. Safe to use from several threads.

    Args:
        scorer: of the fraud model.
        costs: of the actions.
    """

    def __init__(self, scorer: Scorer, costs: Costs | None = None) -> None:
        self.scorer = scorer
        self._costs = costs or Costs()

    def decide(self, online: OnlineFeatures, asked: PaymentToDecide, now: datetime) -> Judgement:
        """What to do with a payment.

        Raises:
            OnlineUnavailableError: Redis does not answer.
            ScorerUnavailableError: the model does not.
        """
        card, terminal = online.payment(asked.card_id, asked.terminal_id)
        paid_at = (asked.paid_at or now).astimezone(UTC)
        # Asked about again it may be on its card's log already: it is not its own past.
        others = card._replace(paid=tuple(paid for paid in card.paid if paid.payment_id != asked.payment_id))
        row = given(others, terminal, paid_at, asked.amount)
        (explained,) = self.scorer.explain(row)
        # What the model made of the row is told only of features that raised the score.
        values = dict(zip(GIVEN, row[0].tolist(), strict=True)) | explained.values
        decided = PaymentDecided(
            event_id=uuid.uuid4().hex,
            event_time=now,
            payment_id=asked.payment_id or uuid.uuid4().hex,
            paid_at=paid_at,
            card_id=asked.card_id,
            terminal_id=asked.terminal_id,
            amount=asked.amount,
            action=decide(explained.score, asked.amount, self._costs).value,
            probability=explained.score,
            reasons=[str(each) for each in CODES.strongest(explained.contributions, values)],
            model_version=self.scorer.model_version,
        )
        return Judgement(
            decided,
            review_from=review_threshold(asked.amount, self._costs),
            card_payments=len(others.paid) + others.forgotten,
            terminal_outcomes=len(terminal.known),
        )
