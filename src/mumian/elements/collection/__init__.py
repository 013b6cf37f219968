"""Collection 数据归集: connectors fill datasets from files, databases, interfaces and forms; other catalogues are harvested."""

FACES = ("/api/v1/elements/collection/uploads",)
