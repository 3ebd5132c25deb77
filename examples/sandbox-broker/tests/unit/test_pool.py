"""The rules of allocation, with a clock that the test moves."""

import threading

import pytest

from app.pool import NotAllocated, Pool, PoolExhausted


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pool(clock):
    return Pool(["one", "two"], lifetime=60, clock=clock)


def test_each_owner_gets_another_sandbox(pool):
    assert {pool.allocate("ann").name, pool.allocate("bob").name} == {"one", "two"}


def test_asking_twice_gives_the_same_sandbox(pool):
    assert pool.allocate("ann").name == pool.allocate("ann").name
    assert pool.counts() == {"total": 2, "free": 1}


def test_an_exhausted_pool_says_so(pool):
    pool.allocate("ann")
    pool.allocate("bob")
    with pytest.raises(PoolExhausted):
        pool.allocate("cleo")


def test_a_released_sandbox_is_free_again(pool):
    pool.allocate("ann")
    held = pool.allocate("bob").name
    pool.release(held, "bob")
    assert pool.allocate("cleo").name == held


@pytest.mark.parametrize(("name", "owner"), [("one", "bob"), ("three", "ann"), ("two", "ann")])
def test_only_the_holder_releases(pool, name, owner):
    assert pool.allocate("ann").name == "one"
    with pytest.raises(NotAllocated):
        pool.release(name, owner)
    assert pool.counts()["free"] == 1


def test_an_allocation_expires(pool, clock):
    held = pool.allocate("ann").name
    clock.now += 60
    assert pool.counts()["free"] == 2
    with pytest.raises(NotAllocated):
        pool.release(held, "ann")


def test_asking_again_extends_the_allocation(pool, clock):
    pool.allocate("ann")
    clock.now += 59
    pool.allocate("ann")
    clock.now += 59
    assert pool.counts()["free"] == 1


def test_an_empty_pool_is_exhausted():
    with pytest.raises(PoolExhausted):
        Pool([]).allocate("ann")


def test_two_owners_never_share_a_sandbox():
    pool = Pool(f"sandbox-{number}" for number in range(50))
    names = []

    def ask(owner):
        names.append(pool.allocate(owner).name)

    threads = [threading.Thread(target=ask, args=(f"owner-{number}",)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 50
