"""What a cloud assembly costs a month: pure functions from resources, prices and usage to line items."""
