"""What people decide: payments that the model did not simply approve, and prices that it proposes."""
