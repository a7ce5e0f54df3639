"""How churn counts time: in days, fractions included, since midnight of the first basket's day."""

#: Column of a basket's time.
DAY = "day"
#: An active household without a basket in so many days churns.
HORIZON_DAYS = 28
