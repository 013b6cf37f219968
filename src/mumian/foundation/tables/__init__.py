"""Tables 表格: files of rows that people send and fetch, as CSV in any usual encoding and as XLSX."""
