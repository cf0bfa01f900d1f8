"""Files with an opaque owner: stored, checked for malicious content, served with care."""
