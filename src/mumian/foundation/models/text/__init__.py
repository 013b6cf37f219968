"""Text classifiers 文本分类: learned from a city's own labelled texts, in minutes."""
