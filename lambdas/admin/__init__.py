"""What people decide: payments that the model did not simply approve, looked at one by one."""
