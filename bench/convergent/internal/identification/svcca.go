package identification

import (
	"context"
	"errors"
	"sync"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// kept is the share of the variance that principal components explain: of all images
// together, as Raghu et al. have it (NeurIPS 2017).
const kept = 0.99

// componentImages is of how many images there are principal components: singular values of
// their products take the cube of that for each two layers.
func componentImages(images int) int { return min(images, 1000) }

// principal returns the principal components of images that lie evenly among all, a row for
// each, orthonormal.
func principal(threads, n, p int, x []float32) []float32 {
	m := componentImages(n)
	part := make([]float32, m*p)
	for i := range m {
		copy(part[i*p:][:p], x[i*n/m*p:])
	}
	if err := centre(threads, m, p, part); err != nil {
		panic(err) // all activations are finite
	}
	inner := products(threads, m, p, part)
	k := inner.lower()
	values, rows := dense.Eigen(threads, m, k, m)
	var all, sum float64
	for _, v := range values {
		all += max(0, v)
	}
	count := 0
	for count < m-1 && sum < kept*all {
		sum += values[count]
		count++
	}
	components := make([]float32, count*m)
	for i := range components {
		components[i] = float32(rows[i])
	}
	return components
}

// svcca are means of canonical correlations of principal components, over the fewer of the
// two, and of their squares.
type svcca struct{ means, squares gram }

// svcca returns those of all layers of different networks.
func (r *run) svcca(ctx context.Context, spans []*span, layers int) (*svcca, error) {
	count, m := len(spans), componentImages(r.images)
	s := &svcca{newGram(count), newGram(count)}
	components := make([][]float64, count)
	for i, of := range spans {
		file, err := open(of.components())
		if err != nil {
			return nil, err
		}
		x := make([]float32, of.Components*m)
		err = file.read(x)
		file.close()
		if err != nil {
			return nil, err
		}
		components[i] = make([]float64, len(x))
		for k, v := range x {
			components[i][k] = float64(v)
		}
	}
	var lock sync.Mutex
	done := 0
	errs := make([]error, count)
	par.For(r.threads, count, func(a int) {
		for b := (a/layers + 1) * layers; b < count; b++ {
			if errs[a] = ctx.Err(); errs[a] != nil {
				return
			}
			p, o := spans[a].Components, spans[b].Components
			c := make([]float64, p*o)
			dense.Gemm(1, dense.Product{M: p, N: o, K: m, A: dense.Rows(components[a], m), B: dense.Rows(components[b], m).T(), C: c, LDC: o})
			var square float64
			for _, v := range c {
				square += float64(v * v)
			}
			mean := dense.NuclearNorm(1, p, o, c) / float64(min(p, o))
			square /= float64(min(p, o))
			s.means.sums[a*count+b], s.means.sums[b*count+a] = mean, mean
			s.squares.sums[a*count+b], s.squares.sums[b*count+a] = square, square
		}
		lock.Lock()
		defer lock.Unlock()
		done++
		r.progress.Report(progress.Event{Task: "correlate components", Done: done, Total: count})
	})
	return s, errors.Join(errs...)
}
