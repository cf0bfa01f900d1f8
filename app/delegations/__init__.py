"""What a trader lets a broker do for it: scopes, dates, the authority, both sides' consent."""
