package nn

import (
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// Tensor is a batch of N images of H x W positions and C channels, or of units
// where H = W = 1: element (n, y, x, c) is Data[((n*H+y)*W+x)*C+c].
type Tensor struct {
	N, H, W, C int
	Data       []float32
}

// NewTensor returns a tensor of zeros.
func NewTensor(n, h, w, c int) *Tensor {
	return &Tensor{N: n, H: h, W: w, C: c, Data: make([]float32, n*h*w*c)}
}

// Shape returns the shape of one image.
func (t *Tensor) Shape() Shape { return Shape{t.H, t.W, t.C} }

// reshape gives t the shape of n images of s, keeping its memory where it is
// large enough. The content is unspecified.
func (t *Tensor) reshape(n int, s Shape) {
	t.N, t.H, t.W, t.C, t.Data = n, s.H, s.W, s.C, grow(t.Data, n*s.Size())
}

// grow returns v with length n, in the same memory where that is large enough.
// The content is unspecified, but zero where it was never written.
func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// image returns the elements of image i.
func (t *Tensor) image(i int) []float32 {
	size := t.H * t.W * t.C
	return t.Data[i*size:][:size]
}

// forEach calls f for every image: threads share those of a tensor that is not small, each
// element counted as a nanosecond.
func (t *Tensor) forEach(threads int, f func(i int)) {
	par.For(par.Worth(threads, len(t.Data)), t.N, f)
}

// copy sets t to a, of the same shape.
func (t *Tensor) copy(threads int, a *Tensor) {
	t.forEach(threads, func(i int) { copy(t.image(i), a.image(i)) })
}

// add adds a, of the same shape, to t.
func (t *Tensor) add(threads int, a *Tensor) {
	t.forEach(threads, func(i int) { vec.Add(t.image(i), a.image(i)) })
}

// Shape is the shape of one image: H x W positions of C channels.
type Shape struct{ H, W, C int }

// Size returns the number of elements.
func (s Shape) Size() int { return s.H * s.W * s.C }
