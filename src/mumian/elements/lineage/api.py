"""Lineage for other components: `platform.get(Lineage)` records what ran, and finds what depends on what."""

from mumian.elements.lineage.contracts import Column, Edge, Graph, Run
from mumian.elements.lineage.service.recording import Lineage

__all__ = ["Column", "Edge", "Graph", "Lineage", "Run"]
