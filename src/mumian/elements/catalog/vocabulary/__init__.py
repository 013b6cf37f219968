"""Vocabulary: data elements 数据元, code lists 代码集 and terms 术语, declared once and referred to by the fields of datasets."""
