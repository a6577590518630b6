"""What a line is, as data: stations, sources, resources, durations, prices; the YAML of a line is exactly this."""
