"""Catalogue 数据目录: every dataset of the city with owner, unit, update frequency and freshness; streams enter by themselves."""

FACES = ("/catalog", "/dataset")
