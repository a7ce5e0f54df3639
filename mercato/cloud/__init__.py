"""What is asked of AWS and of its templates: what a deploy costs, whether it works, what is approved."""
