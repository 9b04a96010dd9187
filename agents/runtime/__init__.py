"""One turn at work: context, budget, the model loop, its events, its recovery."""
