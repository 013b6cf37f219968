"""Following 订阅: who follows a dataset, a theme or an owner is told what happens to its datasets."""
