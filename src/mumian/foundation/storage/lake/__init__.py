"""The lake: columns of observations and other bulk data, in Parquet files under a transactional catalogue."""
