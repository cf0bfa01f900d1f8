"""All Flask glue: one request, one unit of work, one owner of the commit."""
