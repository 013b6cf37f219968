"""The kernel: everything an application needs that has no word of a city in it."""
