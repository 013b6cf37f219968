"""The decisions of sharing: pure functions over applications, grants, meters, days and receipts."""
