"""The SimPy engine: parts, buffers, machines and resources as processes, one replication at a time."""
