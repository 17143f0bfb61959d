"""fadn: denoise raw photographs."""

__version__ = "0.1.0"
