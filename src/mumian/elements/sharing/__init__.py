"""Sharing 政务数据共享: who may have which data for what purpose, and what was handed out under it."""
