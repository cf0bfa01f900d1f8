"""CBP's ABI message for Importer Security Filings: 80-character records in an envelope.

`layout` says what a record is, `records` and `answers` declare them, `grouping` puts them together
into filings, `reading` reads a file, `checking` checks a filing, `answering` writes what came of it.
"""
