"""Protection for other components: `platform.get(Gate)` is the one way to the rows of datasets."""

from mumian.elements.protection.contracts import (
    Answer,
    AnswerColumn,
    DatasetGrant,
    Delivery,
    Grant,
    Label,
    Limits,
    Mask,
    RowRequest,
)
from mumian.elements.protection.service.gate import Gate

__all__ = ["Answer", "AnswerColumn", "DatasetGrant", "Delivery", "Gate", "Grant", "Label", "Limits", "Mask", "RowRequest"]
