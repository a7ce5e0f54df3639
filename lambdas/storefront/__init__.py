"""The storefront: one page over the decision API, without a build step."""
