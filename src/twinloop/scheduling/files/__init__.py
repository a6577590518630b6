"""Problems in files: the project's JSON, tables (CSV), and the standard text formats of the benchmark collections."""
