"""What papers say: claims by paper, shared lemmas, and shared planted faults. Nothing imports this package."""
