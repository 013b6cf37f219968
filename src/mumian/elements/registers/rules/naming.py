"""Naming: clusters keep the identifiers of entities that were there before, and what is gone leaves word where it went."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The entity of each cluster (None: it gets a new one), and for each entity that is gone the clusters with its records."""

    of: Mapping[int, int | None]
    gone: Mapping[int, tuple[int, ...]]


def name(clusters: Mapping[int, int], before: Mapping[int, int]) -> Names:
    """Names for clusters: `clusters` has the cluster of each record, `before` the entity that it was in, where it was in any.

    Each entity goes on in the cluster that took most of its records, and each cluster carries on the entity that brought it most;
    ties go to the older (lower) entity, then to the lower cluster. An entity without a cluster is gone: to all clusters that have
    any of its records, that with most first.
    """
    shared: Counter[tuple[int, int]] = Counter()
    for record, cluster in clusters.items():
        entity = before.get(record)
        if entity is not None:
            shared[entity, cluster] += 1
    of: dict[int, int | None] = dict.fromkeys(sorted(set(clusters.values())))
    taken: set[int] = set()
    for (entity, cluster), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if of[cluster] is None and entity not in taken:
            of[cluster] = entity
            taken.add(entity)
    gone: dict[int, list[tuple[int, int]]] = {entity: [] for entity in set(before.values()) - taken}
    for (entity, cluster), count in shared.items():
        if entity in gone:
            gone[entity].append((-count, cluster))
    return Names(of, {entity: tuple(c for _, c in sorted(found)) for entity, found in sorted(gone.items())})
