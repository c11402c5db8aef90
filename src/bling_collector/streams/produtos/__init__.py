"""Os produtos, e o que deles só se sabe à parte."""
