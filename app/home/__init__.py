"""Each person's own start, composed from the queries of the features below."""
