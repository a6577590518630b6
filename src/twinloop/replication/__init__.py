"""Anything run many times with luck of its own: design, streams, intervals, comparison, selection, search.

It knows no line, no fleet and no conversation: a run is a callable from a replication's number to key figures, and the
table of key figures is handed in.
"""
