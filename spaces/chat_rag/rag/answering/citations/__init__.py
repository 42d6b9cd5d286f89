"""Citations: markers in an answer as it streams, and the words of the documents behind them."""
