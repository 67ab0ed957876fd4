"""docs/results.md: runs to tables and figures, beside what the two papers publish."""
