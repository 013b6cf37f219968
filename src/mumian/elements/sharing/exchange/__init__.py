"""Exchange jobs 数据交换作业: whole datasets validated, masked, pseudonymised, written and digested, with checkpoints."""
