"""The work of protection: the gate, what it knows of datasets, and the labels that people confirm."""
