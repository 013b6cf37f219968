"""Vitals for other components: `platform.get(Vitals)` knows what keys are about and where values came from."""

from mumian.brain.vitals.contracts import CITY, Observation, Provenance, Reading, Subject
from mumian.brain.vitals.service.queries import Vitals

__all__ = ["CITY", "Observation", "Provenance", "Reading", "Subject", "Vitals"]
