import pytest

from inventory.store import OutOfStock, Store, UnknownItem


def test_what_is_added_is_there():
    store = Store()
    assert store.add("bolt", 3) == 3
    assert store.add("bolt", 2) == 5


def test_nothing_is_not_added():
    with pytest.raises(ValueError):
        Store().add("bolt", 0)


def test_what_is_taken_is_gone():
    store = Store({"bolt": 3})
    assert store.take("bolt", 2) == 1
    with pytest.raises(OutOfStock):
        store.take("bolt", 2)
    with pytest.raises(UnknownItem):
        store.take("nut", 1)
