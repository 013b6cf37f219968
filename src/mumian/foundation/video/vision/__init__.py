"""Vision: frames in, findings out; it knows neither records nor network addresses and runs in worker processes only."""
