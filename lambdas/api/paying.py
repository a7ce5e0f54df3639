"""Whether to let a payment pass: what is known of card and terminal, the model, what actions cost."""

from __future__ import annotations

from datetime import UTC, datetime

from lambdas.api.schemas import PaymentDecision, PaymentToDecide, WhyPart
from lambdas.api.scorer import Scorer
from mercato.decisions.fraud import CODES, SENTENCES, Costs, decide, review_threshold
from mercato.online.reader import OnlineFeatures
from mercato_models.fraud.live import given


class PaymentJudge:
    """Decides on payments. Safe to use from several threads.

    Args:
        scorer: of the fraud model.
        costs: of the actions.
    """

    def __init__(self, scorer: Scorer, costs: Costs | None = None) -> None:
        self.scorer = scorer
        self._costs = costs or Costs()

    def decide(self, online: OnlineFeatures, asked: PaymentToDecide, now: datetime) -> PaymentDecision:
        """What to do with a payment.

        Raises:
            OnlineUnavailable: Redis does not answer.
            ScorerUnavailableError: the model does not.
        """
        card, terminal = online.payment(asked.card_id, asked.terminal_id)
        paid_at = (asked.paid_at or now).astimezone(UTC)
        (found,) = self.scorer.explain(given(card, terminal, paid_at, asked.amount))
        why = CODES.strongest(found.contributions)
        return PaymentDecision(
            action=decide(found.score, asked.amount, self._costs),
            probability=found.score,
            review_from=review_threshold(asked.amount, self._costs),
            reasons=[WhyPart(code=each, text=SENTENCES[each]) for each in why],
            card_payments=len(card.paid) + card.forgotten,
            terminal_outcomes=len(terminal.known),
            model_version=self.scorer.model_version,
        )
