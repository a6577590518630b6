"""What the person's stages found out, in the shape in which figures and tables take it; notebooks read nothing else.

One module per page of the report, each imported by itself: a notebook runs again when code that it reads has changed.
"""
