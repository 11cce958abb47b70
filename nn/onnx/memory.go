package onnx

import "sync"

// buffer is the memory of a tensor; that of float32 is used again once nobody reads it.
type buffer struct {
	data  []float32 // nil for other types
	bytes int64
	refs  int // tensors that are yet to be read
}

// memory gives a run its tensors' memory. It is the run's alone.
type memory struct {
	limit int64 // of live, in bytes
	live  int64 // bytes of tensors that are yet to be read
	idle  int64 // bytes of free
	free  []*buffer
}

// pool keeps the memory of past runs of a model.
type pool struct {
	mu   sync.Mutex
	idle []*memory
}

func (p *pool) get(limit int64) *memory {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := new(memory)
	if n := len(p.idle); n > 0 {
		m, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	m.limit, m.live = limit, 0
	return m
}

func (p *pool) put(m *memory) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, m)
}

// reserve accounts for so many bytes more and reports false beyond the limit.
func (m *memory) reserve(bytes int64) bool {
	if bytes > m.limit-m.live {
		return false
	}
	m.live += bytes
	return true
}

// floats returns a buffer of n floats with any content.
func (m *memory) floats(n int) *buffer {
	best := -1
	for i, b := range m.free {
		if c := cap(b.data); c >= n && c <= 2*n+1024 && (best < 0 || c < cap(m.free[best].data)) {
			best = i
		}
	}
	if best < 0 {
		if m.idle+m.live > m.limit {
			m.free, m.idle = nil, 0
		}
		return &buffer{data: make([]float32, n), bytes: 4 * int64(n)}
	}
	b := m.free[best]
	last := len(m.free) - 1
	m.free[best], m.free = m.free[last], m.free[:last]
	m.idle -= 4 * int64(cap(b.data))
	b.data, b.bytes = b.data[:n], 4*int64(n)
	return b
}

// release takes back a buffer.
func (m *memory) release(b *buffer) {
	m.live -= b.bytes
	if b.data != nil {
		m.free = append(m.free, b)
		m.idle += 4 * int64(cap(b.data))
	}
}
