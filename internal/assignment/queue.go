package assignment

import "math"

// queue is the priority queue of Dijkstra's algorithm: a heap of vertices by key, the
// nearest first, in which a key can fall.
type queue struct {
	heap     []int32
	position []int32   // of a vertex in the heap
	key      []float64 // of a vertex: +Inf if it was never in the heap, -Inf if it has left
	vertices []int32   // those whose key is not +Inf
}

func newQueue(n int) queue {
	q := queue{position: make([]int32, n), key: make([]float64, n)}
	q.resetKeys(n)
	return q
}

// clear empties the queue.
func (q *queue) clear() {
	for _, v := range q.vertices {
		q.key[v] = math.Inf(1)
	}
	q.vertices, q.heap = q.vertices[:0], q.heap[:0]
}

// push puts v in with key d, or lowers its key to d.
func (q *queue) push(v int32, d float64) {
	hole := int(q.position[v])
	if math.IsInf(q.key[v], 0) {
		if q.key[v] > 0 {
			q.vertices = append(q.vertices, v)
		}
		hole = len(q.heap)
		q.heap = append(q.heap, v)
	}
	q.key[v] = d
	for hole > 0 {
		parent := (hole - 1) / 4
		w := q.heap[parent]
		if q.key[w] <= d {
			break
		}
		q.heap[hole], q.position[w] = w, int32(hole)
		hole = parent
	}
	q.heap[hole], q.position[v] = v, int32(hole)
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
		q.siftDown(w)
	}
	return v, d, true
}

// siftDown puts w into the hole at the top.
func (q *queue) siftDown(w int32) {
	hole, key := 0, q.key[w]
	for {
		first := 4*hole + 1
		if first >= len(q.heap) {
			break
		}
		child := first // the nearest
		for c := first + 1; c < min(first+4, len(q.heap)); c++ {
			if q.key[q.heap[c]] < q.key[q.heap[child]] {
				child = c
			}
		}
		v := q.heap[child]
		if key <= q.key[v] {
			break
		}
		q.heap[hole], q.position[v] = v, int32(hole)
		hole = child
	}
	q.heap[hole], q.position[w] = w, int32(hole)
}

// resetKeys makes the keys of the first n vertices what they are in an empty queue.
func (q *queue) resetKeys(n int) {
	for v := range n {
		q.key[v] = math.Inf(1)
	}
}
