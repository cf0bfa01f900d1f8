"""Criteria catalogues as versioned data: the files, their model, their loader and pure rules.

Nothing here knows Flask or SQL. See ``docs/adr/0008-catalogues-as-files.md``.
"""
