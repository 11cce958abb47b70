package assignment

import "math"

// queue is a heap of vertices by key, the nearest first, with places, so that a
// key can fall: Dijkstra's.
type queue struct {
	heap  []int32
	place []int32   // of a vertex in the heap
	key   []float64 // of a vertex: +Inf if it was never in the heap, -Inf if it has left
	seen  []int32   // vertices whose key is not +Inf
}

func newQueue(n int) queue {
	q := queue{place: make([]int32, n), key: make([]float64, n)}
	for v := range q.key {
		q.key[v] = math.Inf(1)
	}
	return q
}

func (q *queue) clear() {
	for _, v := range q.seen {
		q.key[v] = math.Inf(1)
	}
	q.seen, q.heap = q.seen[:0], q.heap[:0]
}

// push puts v in with key d, or lowers its key to d.
func (q *queue) push(v int32, d float64) {
	at := int(q.place[v])
	if math.IsInf(q.key[v], 0) {
		if q.key[v] > 0 {
			q.seen = append(q.seen, v)
		}
		at = len(q.heap)
		q.heap = append(q.heap, v)
	}
	q.key[v] = d
	for at > 0 {
		up := (at - 1) / 4
		w := q.heap[up]
		if q.key[w] <= d {
			break
		}
		q.heap[at], q.place[w] = w, int32(at)
		at = up
	}
	q.heap[at], q.place[v] = v, int32(at)
}

// pop takes out the nearest vertex, if it is nearer than limit.
func (q *queue) pop(limit float64) (v int32, d float64, ok bool) {
	if len(q.heap) == 0 || !(q.key[q.heap[0]] < limit) {
		return 0, 0, false
	}
	v = q.heap[0]
	d, q.key[v] = q.key[v], math.Inf(-1)
	n := len(q.heap) - 1
	w := q.heap[n]
	q.heap = q.heap[:n]
	if n > 0 {
		q.sink(w)
	}
	return v, d, true
}

// sink puts w into the hole at the top.
func (q *queue) sink(w int32) {
	at, key := 0, q.key[w]
	for {
		child := 4*at + 1
		if child >= len(q.heap) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(q.heap)); c++ {
			if q.key[q.heap[c]] < q.key[q.heap[least]] {
				least = c
			}
		}
		v := q.heap[least]
		if key <= q.key[v] {
			break
		}
		q.heap[at], q.place[v] = v, int32(at)
		at = least
	}
	q.heap[at], q.place[w] = w, int32(at)
}

// forget makes the keys of the first n vertices what they are in an empty queue.
func (q *queue) forget(n int) {
	for v := range n {
		q.key[v] = math.Inf(1)
	}
}
