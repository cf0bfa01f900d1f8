"""Two people put a catalogue version into use: what was proposed is kept byte by byte and signed."""
