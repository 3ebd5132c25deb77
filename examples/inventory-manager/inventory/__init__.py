"""The inventory manager: items, and how many of each there are."""
