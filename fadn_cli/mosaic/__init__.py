"""What a raw photograph is in memory, in DN, and how it becomes normalized and comes back."""
