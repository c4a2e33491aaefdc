"""A four-ary heap of (key, vertex) in two arrays: the queue of every search over roads. Its size is kept by the caller.

Called inside the kernels of `routing.hierarchy`, `routing.matrix` and `routing.route`.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


class Heap(NamedTuple):
    """The two arrays, as long as the heap may ever grow."""

    key: Array  # int64
    vertex: Array  # int32


@njit(cache=True, inline="always")
def push(heap: Any, size: Any, key: Any, vertex: Any) -> Any:
    """Add an entry; the new size."""
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if heap.key[parent] <= key:
            break
        heap.key[i] = heap.key[parent]
        heap.vertex[i] = heap.vertex[parent]
        i = parent
    heap.key[i] = key
    heap.vertex[i] = vertex
    return size + 1


@njit(cache=True, inline="always")
def pop(heap: Any, size: Any) -> Any:
    """Drop the first entry, which the caller has read; the new size."""
    size -= 1
    key, vertex = heap.key[size], heap.vertex[size]
    i = 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        best = child
        for other in range(child + 1, min(child + 4, size)):
            if heap.key[other] < heap.key[best]:
                best = other
        if heap.key[best] >= key:
            break
        heap.key[i] = heap.key[best]
        heap.vertex[i] = heap.vertex[best]
        i = best
    heap.key[i] = key
    heap.vertex[i] = vertex
    return size


@njit(cache=True)
def make_heap(room: int) -> Heap:
    """An empty one."""
    return Heap(np.empty(room, np.int64), np.empty(room, np.int32))
