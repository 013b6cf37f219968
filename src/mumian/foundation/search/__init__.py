"""Search 全文检索: texts in Chinese and English found by their words, on the engine that keeps the records."""
