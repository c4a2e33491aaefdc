"""A binary heap by moment: which label or chain is looked at next. Kernels, woven into `labels` and `enumeration`.

In: `heap`, whose first sizes[1] entries are in it, and the moment of every entry.
"""

from dispatch.planning.problem import IntArray
from dispatch.planning.schedule import woven


@woven
def push(heap: IntArray, sizes: IntArray, moment: IntArray, new: int) -> None:
    """O(log n)."""
    k = sizes[1]
    sizes[1] += 1
    while k > 0:
        parent = (k - 1) >> 1
        if moment[heap[parent]] <= moment[new]:
            break
        heap[k] = heap[parent]
        k = parent
    heap[k] = new


@woven
def pop(heap: IntArray, sizes: IntArray, moment: IntArray) -> int:
    """The entry of the least moment, which leaves. O(log n)."""
    top = heap[0]
    sizes[1] -= 1
    n = sizes[1]
    if n > 0:
        item, k = heap[n], 0
        while True:
            child = 2 * k + 1
            if child >= n:
                break
            if child + 1 < n and moment[heap[child + 1]] < moment[heap[child]]:
                child += 1
            if moment[heap[child]] >= moment[item]:
                break
            heap[k] = heap[child]
            k = child
        heap[k] = item
    return int(top)
