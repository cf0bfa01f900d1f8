"""One company sees whether another is an active partner, because that other company consents."""
