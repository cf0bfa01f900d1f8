"""Who lets programs in: a trader's officers for its own, the agency for its release systems."""
