"""Mumian 木棉: the operating platform of a city, as code, on one closed loop."""

__version__ = "0.1.0"
