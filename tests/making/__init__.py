"""Inputs for tests: raw files, mosaics, defects, folders and reports; nobody else's programs.

A TIFF has one builder and one encoder of its fields (`tiff`). What lies where in a file, and how
its samples are cut and coded, is decided in one place (`parts`, `codings`), which writes every DNG
in `dng` and `layouts` but the random trees (`dng.trees`), whose parts lie anywhere, and those that
other people's writers make (`dng.foreign`).
"""
