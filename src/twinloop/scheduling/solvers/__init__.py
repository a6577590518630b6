"""How plans are found: dispatching rules, local search, CP-SAT, and one door to all of them."""
