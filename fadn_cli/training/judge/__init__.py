"""How good it is: a run or the shipped files in, tables of decibels out; each module a command."""
