"""Lengths of time that training, the stream and the API share."""

DAY = 86_400
#: How long it takes until a payment is known to have been honest or not, in seconds.
LABEL_DELAY = 7 * DAY
