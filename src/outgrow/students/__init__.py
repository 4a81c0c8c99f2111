"""Students: strong models that learn from weak labels, and what is kept of them."""
