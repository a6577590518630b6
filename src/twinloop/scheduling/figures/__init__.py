"""How shops, plans and solutions look in a notebook: a Gantt chart that can be zoomed, tables, one set of colours."""
