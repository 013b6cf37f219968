"""Pipes below the ground as networks 地下管线: nodes and edges, what is up and down of them, what closes them, what is wrong."""
