"""Warnings 预警: vital signs that crossed a line and stayed there, one warning at a time, raised and lifted by rule."""

FACES = ("/cap",)
