"""What a predictor sees: named features of the past of each asset, the same from a table and from a stream."""
