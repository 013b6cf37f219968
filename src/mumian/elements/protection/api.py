"""Protection for other components: `platform.get(Gate)` is the one way to the rows of datasets."""

from mumian.elements.protection.contracts import (
    Answer,
    AnswerColumn,
    DatasetGrant,
    Delivery,
    FieldTerms,
    Grant,
    Label,
    Limits,
    Mask,
    RowRequest,
    Terms,
)
from mumian.elements.protection.rules.masking import masked, type_after
from mumian.elements.protection.rules.parsing import condition_fields
from mumian.elements.protection.service.gate import Gate
from mumian.elements.protection.service.labels import Decision, Labels

__all__ = [
    "Answer",
    "AnswerColumn",
    "DatasetGrant",
    "Decision",
    "Delivery",
    "FieldTerms",
    "Gate",
    "Grant",
    "Label",
    "Labels",
    "Limits",
    "Mask",
    "RowRequest",
    "Terms",
    "condition_fields",
    "masked",
    "type_after",
]
