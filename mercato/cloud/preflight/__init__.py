"""What would stop a deploy, asked of the account before it starts."""
