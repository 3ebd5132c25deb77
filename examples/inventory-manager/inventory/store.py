"""What is in stock."""

from __future__ import annotations

from dataclasses import dataclass, field


class UnknownItem(KeyError):
    """There is no item of this name."""


class OutOfStock(ValueError):
    """More was taken than there is."""


@dataclass
class Store:
    """Counts items by name."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, count: int) -> int:
        """Puts some of an item into stock, and says how many there are."""
        if count < 1:
            raise ValueError("at least one is added")
        self.counts[name] = self.counts.get(name, 0) + count
        return self.counts[name]

    def take(self, name: str, count: int) -> int:
        """Takes some of an item out of stock, and says how many are left."""
        if name not in self.counts:
            raise UnknownItem(name)
        if count < 1 or count > self.counts[name]:
            raise OutOfStock(f"there are {self.counts[name]} of {name}")
        self.counts[name] -= count
        return self.counts[name]
