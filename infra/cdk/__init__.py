"""The AWS body: typed configuration, one small stack a plane, the constructs they share."""
