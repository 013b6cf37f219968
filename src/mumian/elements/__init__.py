"""Data elements 数据新要素: what the city's data are, where they come from and how fresh they are."""
