"""TIFF as syntax: bytes in, IFDs and entries out, and back. Names tags, knows no photograph."""
