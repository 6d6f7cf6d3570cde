"""Real web servers with a persona's content, and what they hear as events."""
