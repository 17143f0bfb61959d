"""The machine beneath: files whole or not there, locks, cores, time, memory. All may call it."""
