"""What registers decide: standard forms, comparisons, weights, clusters and which value survives."""
