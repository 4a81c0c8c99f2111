"""The rules of chess: a position, its legal moves, their notations, and what a search by material says of them."""
