"""How lines, event logs and results look: flow diagram, Gantt chart, the line at work, tables."""
