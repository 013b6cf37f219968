DROP TABLE sensing_lake_file;
DROP TABLE sensing_lake_state;
