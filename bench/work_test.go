package bench

import (
	"math"
	"testing"
)

// The references below are the definitions, in float64.

func TestConv(t *testing.T) {
	for _, c := range []Conv{
		{Name: "padded", N: 2, Size: 5, In: 3, Out: 4, Kernel: 3, Stride: 1, Pad: 1, Groups: 1},
		{Name: "grouped, strided", N: 2, Size: 7, In: 4, Out: 6, Kernel: 3, Stride: 2, Pad: 0, Groups: 2},
	} {
		x, w, dy := Float64s(uniform(1, c.images())), Float64s(uniform(2, c.filters())), Float64s(uniform(3, c.outputs()))
		y, dx, dw := make([]float64, len(dy)), make([]float64, len(x)), make([]float64, len(w))
		edge, depth, out := c.geometry().OutH(), c.In/c.Groups, c.Out/c.Groups
		for at := range y {
			o, col, row, n := at%c.Out, at/c.Out%edge, at/c.Out/edge%edge, at/c.Out/edge/edge
			for term := range c.Kernel * c.Kernel * depth {
				ch, kx, ky := term%depth, term/depth%c.Kernel, term/depth/c.Kernel
				i, j := row*c.Stride-c.Pad+ky, col*c.Stride-c.Pad+kx
				if i < 0 || i >= c.Size || j < 0 || j >= c.Size {
					continue
				}
				input := ((n*c.Size+i)*c.Size+j)*c.In + o/out*depth + ch
				filter := o*c.Kernel*c.Kernel*depth + term
				y[at] += x[input] * w[filter]
				dx[input] += dy[at] * w[filter]
				dw[filter] += dy[at] * x[input]
			}
		}
		works, err := c.works()
		if err != nil {
			t.Fatal(err)
		}
		checkResults(t, works[0], y)
		checkResults(t, works[1], dx, dw)
	}
}

func TestGemm(t *testing.T) {
	s := Gemm{M: 5, N: 7, K: 11}
	a, b := s.Operands()
	c := make([]float64, s.M*s.N)
	for i := range c {
		for k := range s.K {
			c[i] += float64(a[i/s.N*s.K+k]) * float64(b[k*s.N+i%s.N])
		}
	}
	works, err := s.works()
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, works[0], c)
}

// TestBLAS: products, solutions and factors, put together again, are what they are of, and
// gonum's own are the same.
func TestBLAS(t *testing.T) {
	const n = 70 // beyond what is given to gonum
	for routine, check := range map[string]func(a, b, got []float64, i, j int) (is, want float64){
		"sgemm": func(a, b, c []float64, i, j int) (float64, float64) { return c[i*n+j], productAt(a, b, n, i, j) },
		"dgemm": func(a, b, c []float64, i, j int) (float64, float64) { return c[i*n+j], productAt(a, b, n, i, j) },
		"dtrsm": func(a, b, x []float64, i, j int) (float64, float64) {
			s := n * x[i*n+j]
			for k := range i + 1 {
				s += a[i*n+k] * x[k*n+j]
			}
			return s, b[i*n+j]
		},
		"dgemv": func(a, b, y []float64, i, _ int) (float64, float64) {
			want := n * b[i]
			for k := range n {
				want += a[i*n+k] * b[k]
			}
			return y[i], want
		},
		"dsymv": func(a, b, y []float64, i, _ int) (float64, float64) {
			want := n * b[i]
			for k := range n {
				want += a[min(i, k)*n+max(i, k)] * b[k]
			}
			return y[i], want
		},
		"dtrsv": func(a, b, x []float64, i, _ int) (float64, float64) {
			s := n * x[i]
			for k := range i + 1 {
				s += a[i*n+k] * x[k]
			}
			return s, b[i]
		},
		"cholesky": func(a, _, u []float64, i, j int) (float64, float64) {
			var s float64
			for k := range min(i, j) + 1 {
				s += u[k*n+i] * u[k*n+j]
			}
			if i == j {
				return s, a[i*n+i] + n
			}
			return s, a[min(i, j)*n+max(i, j)]
		},
	} {
		s := BLAS{Routine: routine, N: n}
		works, err := s.works()
		if err != nil {
			t.Fatal(err)
		}
		job, err := works[0].Prepare(2)
		if err != nil {
			t.Fatal(err)
		}
		peer := s.Gonum()
		if err := peer.Run(); err != nil {
			t.Fatal(err)
		}
		a, b, got, theirs := Float64s(uniform(1, n*n)), Float64s(uniform(2, n*n)), job.Results()[0], peer.Results()[0]
		for i := range n {
			for j := range n {
				if is, want := check(a, b, got, i, j); math.Abs(is-want) > works[0].Tolerance*n {
					t.Fatalf("%s: element (%d, %d) is %v, want %v", routine, i, j, is, want)
				}
			}
		}
		for i, v := range theirs {
			if math.Abs(got[i]-v) > works[0].Tolerance*n {
				t.Fatalf("%s: element %d is %v, gonum's %v", routine, i, got[i], v)
			}
		}
	}
	if _, err := (BLAS{Routine: "dsyrk", N: 1}).works(); err == nil {
		t.Error("a routine that there is none of is no error")
	}
}

func productAt(a, b []float64, n, i, j int) (s float64) {
	for k := range n {
		s += a[i*n+k] * b[k*n+j]
	}
	return s
}

func TestMoments(t *testing.T) {
	s := Moments{N: 300, P: 5}
	x := Float64s(s.Observations())
	mean, product := make([]float64, s.P), make([]float64, s.P*s.P)
	for i, v := range x {
		mean[i%s.P] += v / float64(s.N)
	}
	for n := 0; n < len(x); n += s.P {
		for i := range product {
			product[i] += (x[n+i/s.P] - mean[i/s.P]) * (x[n+i%s.P] - mean[i%s.P])
		}
	}
	c := make([]float64, len(product))
	for i := range c {
		c[i] = product[i] / math.Sqrt(product[i/s.P*(s.P+1)]*product[i%s.P*(s.P+1)])
	}
	works, err := s.works()
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, works[0], c)
}

// TestAssignment tries all permutations.
func TestAssignment(t *testing.T) {
	for _, s := range []Assignment{{N: 6, Values: "uniform"}, {N: 6, Values: "noisy", Samples: 9}} {
		c := s.Matrix()
		best := math.Inf(-1)
		var search func(i int, columns uint, sum float64) // columns that are assigned, as bits
		search = func(i int, columns uint, sum float64) {
			if i == s.N {
				best = max(best, sum)
			}
			for j := range s.N {
				if columns&(1<<j) == 0 {
					search(i+1, columns|1<<j, sum+c.At(i, j))
				}
			}
		}
		search(0, 0, 0)
		works, err := s.works()
		if err != nil {
			t.Fatal(err)
		}
		checkResults(t, works[0], []float64{best / float64(s.N)})
	}
}

// TestTrain is logistic regression: one dense layer.
func TestTrain(t *testing.T) {
	const images, terms, classes = 6, 8, 3
	train := Train{Name: "dense", Batch: images, Size: 2, In: 2, Classes: classes, Layers: []Layer{{Layer: "dense", Out: classes}}}
	x, w := Float64s(uniform(1, images*terms)), Float64s(uniform(2, classes*terms))
	for i := range w {
		w[i] *= math.Sqrt(6. / terms)
	}
	w = append(w, make([]float64, classes)...) // biases
	velocity := make([]float64, len(w))
	var losses []float64
	for range lossSteps {
		var loss float64
		grad := make([]float64, len(w))
		for n := range images {
			var e [classes]float64
			var sum float64
			for c := range e {
				z := w[classes*terms+c]
				for k := range terms {
					z += x[n*terms+k] * w[c*terms+k]
				}
				e[c] = math.Exp(z)
				sum += e[c]
			}
			loss -= math.Log(e[n%classes]/sum) / images
			for c := range e {
				d := e[c] / sum / images
				if c == n%classes {
					d -= 1. / images
				}
				grad[classes*terms+c] += d
				for k := range terms {
					grad[c*terms+k] += d * x[n*terms+k]
				}
			}
		}
		losses = append(losses, loss)
		for i := range w {
			velocity[i] = 0.9*velocity[i] + grad[i] + 5e-4*w[i]
			w[i] -= 0.001 * velocity[i]
		}
	}
	works, err := train.works()
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, works[0], losses)
}

// checkResults compares the results of a work with those wanted.
func checkResults(t *testing.T, w Work, want ...[]float64) {
	t.Helper()
	for _, threads := range []int{1, 2} {
		job, err := w.Prepare(threads)
		if err != nil {
			t.Fatal(err)
		}
		got := job.Results()
		if len(got) != len(want) {
			t.Fatalf("%s: %d results, want %d", w.Name, len(got), len(want))
		}
		for i := range want {
			if len(got[i]) != len(want[i]) {
				t.Fatalf("%s: result %d has %d elements, want %d", w.Name, i, len(got[i]), len(want[i]))
			}
			for j, v := range want[i] {
				if d := math.Abs(got[i][j] - v); !(d <= 1e-5) {
					t.Errorf("%s, %d threads: result %d[%d] is %g, want %g", w.Name, threads, i, j, got[i][j], v)
				}
			}
		}
	}
}
