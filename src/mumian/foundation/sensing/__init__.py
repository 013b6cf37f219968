"""Sensing 物联感知: streams of observations, taken in durably and exactly once, found again by stream and time."""

FACES = ("/sta/v1.1",)
