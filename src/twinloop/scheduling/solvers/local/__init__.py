"""Local search on the disjunctive graph of a (flexible) job shop, compiled: the makespan of shops that are `plain`."""
