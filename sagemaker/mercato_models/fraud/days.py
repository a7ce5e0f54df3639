"""How late labels are, for all of the model."""

from mercato.contracts.durations import DAY_SECONDS

#: How long it takes until a payment is known to have been honest or not, in seconds.
LABEL_DELAY = 7 * DAY_SECONDS
