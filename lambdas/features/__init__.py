"""Events from MSK into the online store."""
