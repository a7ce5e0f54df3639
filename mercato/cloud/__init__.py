"""Questions to AWS and about the templates: what a deploy costs, whether it works, what is approved."""
