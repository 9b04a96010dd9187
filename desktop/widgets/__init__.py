"""Small widgets that every page shares; they know the look and nothing of the office."""
