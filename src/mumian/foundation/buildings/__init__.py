"""City information model 城市信息模型: buildings in three dimensions, what is in them, and the pipes below them."""
