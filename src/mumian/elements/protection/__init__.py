"""Protection 数据安全: labels on data, and the one gate through which rows are read, with every look at labelled data proven."""
