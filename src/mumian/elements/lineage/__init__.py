"""Lineage 数据血缘: which columns of which datasets come from which, told by the SQL that ran and by OpenLineage events."""

FACES = ("/openlineage/api/v1/lineage",)
