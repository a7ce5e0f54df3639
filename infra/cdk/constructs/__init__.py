"""What several stacks are built from, with the defaults that every resource of its kind must have."""
