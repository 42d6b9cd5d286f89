"""What requests cost, and budgets: prices by the token, money, and what a key may spend."""
