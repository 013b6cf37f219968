"""Models 模型: what the city's models are, what they learned from, how good they were found to be, and who approved them."""
