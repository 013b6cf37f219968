"""Labels travel along lineage: what comes from a labelled column is proposed as labelled, until a person says otherwise."""

from mumian.elements.lineage.api import Column, Lineage
from mumian.elements.protection.contracts import Label
from mumian.elements.protection.service.labels import Labels
from mumian.kernel.errors import NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_LABELLED = ("elements.protection.proposed", "elements.protection.decided")


class Travel:
    """Calculations and aggregates carry the label of what they are made of, too: only a person's decision lowers it."""

    def __init__(self, platform: Platform, labels: Labels) -> None:
        self._platform = platform
        self._labels = labels

    def recorded(self, tx: Transaction, event: DeliveredEvent) -> None:
        """New edges: the labels of their sources go to their targets."""
        for dataset, field, target, kind in event.data["edges"]:
            if field and target:
                self._carry(tx, Column(dataset, field), Column(event.subject, target), kind, event.data["job"])

    def labelled(self, tx: Transaction, event: DeliveredEvent) -> None:
        """A label was proposed or decided: it goes on to what comes from that column."""
        if event.type not in _LABELLED or event.data.get("state") == "rejected":
            return
        dataset, _, field = event.subject.partition("#")
        source = Column(dataset, field)
        for edge in self._platform.get(Lineage).successors(tx.session, source):
            if edge.target.field:
                self._carry(tx, source, edge.target, edge.kind, edge.job)

    def _carry(self, tx: Transaction, source: Column, target: Column, kind: str, job: str) -> None:
        label = self._label(tx, source)
        have = self._label(tx, target)
        if label is None or have is None or (label.personal == "none" and label.grade == "general"):
            return
        if (have.grade, have.personal) == (label.grade, label.personal):
            return
        category = label.category if kind == "identity" else None
        evidence = {"from": str(source), "kind": kind, "job": job}
        carried = Label(label.grade, label.personal, category)
        self._labels.propose(tx, target.dataset, target.field, carried, "lineage", evidence)

    def _label(self, tx: Transaction, column: Column) -> Label | None:
        """The label in force; None for columns that are not declared here."""
        try:
            return self._labels.in_force(tx.session, column.dataset).get(column.field)
        except NotFound:
            return None
