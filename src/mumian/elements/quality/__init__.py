"""Quality 数据质量: rules that datasets must keep, scores after GB/T 36344-2018, and tickets to who answers for the data."""
