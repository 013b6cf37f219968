"""Compute 算力资源协同调度: pools of processors, jobs that ask for them, and a scheduler that explains where each one goes."""
