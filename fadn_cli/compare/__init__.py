"""Seeing it: before and after as a page, a contact sheet, or the demonstration's picture."""
