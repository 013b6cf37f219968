"""Duties 职能数据清单: what each organisation's duties oblige it to have as data, and where that is missing or overstepped."""
