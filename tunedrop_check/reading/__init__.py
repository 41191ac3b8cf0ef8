"""From bytes to decoded lines: ranges of a file, strict JSON, and the names of files."""
