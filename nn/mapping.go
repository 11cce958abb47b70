package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// Mapping is a 1x1 convolution from one network's units to another's, with few weights.
type Mapping struct {
	In, Out int
	W       []float32 // Out x In, for units of mean 0 and variance 1
	Loss    []float64 // per unit of Out, over all rows: 1/2 E(w.x - y)^2
}

// MappingOptions say how TrainMapping works; the zero value is a plain regression.
type MappingOptions struct {
	Lambda   float64  // of the penalty lambda |w|_1 for each unit of Out
	Epochs   int      // 0: 20
	Batch    int      // rows a step; 0: 128
	Schedule Schedule // nil: OneCycle(0.01)
	Momentum float64  // 0: 0.9; below 0: none
	Seed     uint64   // of first weights and of the order of rows
	Threads  int      // 0: all
	Progress func(step, steps int, loss float64)
}

// TrainMapping predicts a network's units from another's as the paper did (section 4):
// by a mapping layer, whose weights are penalised by their absolute values, trained by
// stochastic gradient descent on rows of activations, x with in and y with out units a
// row. Units are centred and scaled to variance 1 first; those of variance 0 stay 0.
//
// Where it has not converged, and its weights are never exactly 0, it differs from the
// LASSO, which package match solves exactly: that is what it is here for.
//
// NaN and infinite activations are an error that names row and unit, and a loss that is
// not finite is a *[DivergedError]. TrainMapping panics if lengths do not fit. The
// result does not depend on Threads.
func TrainMapping(ctx context.Context, rows int, x []float32, in int, y []float32, out int, o MappingOptions) (*Mapping, error) {
	if in < 1 || out < 1 || len(x) != rows*in || len(y) != rows*out {
		panic("nn: activations have the wrong length")
	}
	if rows == 0 {
		return nil, errors.New("nn: a mapping needs activations")
	}
	if o.Epochs == 0 {
		o.Epochs = 20
	}
	if o.Batch == 0 {
		o.Batch = 128
	}
	if o.Schedule == nil {
		o.Schedule = OneCycle(0.01)
	}
	switch {
	case o.Momentum == 0:
		o.Momentum = 0.9
	case o.Momentum < 0:
		o.Momentum = 0
	}
	x, err := standardised(x, in)
	if err != nil {
		return nil, fmt.Errorf("nn: inputs: %w", err)
	}
	if y, err = standardised(y, out); err != nil {
		return nil, fmt.Errorf("nn: outputs: %w", err)
	}
	rnd := rand.New(rand.NewPCG(o.Seed, 1))
	m := &Mapping{In: in, Out: out, W: make([]float32, out*in)}
	for i := range m.W {
		m.W[i] = float32(0.01 * rnd.NormFloat64())
	}
	threads, batch := par.Threads(o.Threads), min(o.Batch, rows)
	bx, by, residual := make([]float32, batch*in), make([]float32, batch*out), make([]float32, batch*out)
	grad, velocity := make([]float32, len(m.W)), make([]float32, len(m.W))
	perEpoch := rows / batch
	steps := o.Epochs * perEpoch
	for epoch := range o.Epochs {
		order := rnd.Perm(rows)
		for i := range perEpoch {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for r, from := range order[i*batch : (i+1)*batch] {
				copy(bx[r*in:][:in], x[from*in:])
				copy(by[r*out:][:out], y[from*out:])
			}
			loss := m.residual(threads, batch, bx, by, residual, nil)
			step := epoch*perEpoch + i
			rate := o.Schedule(step, steps)
			if !finite(loss) {
				return nil, &DivergedError{Epoch: epoch, Step: step, Rate: rate, Loss: loss}
			}
			level3.Gemm(threads, out, in, batch, level3.Cols{Data: residual, Stride: out}, level3.Cols{Data: bx, Stride: in}, grad, in, level3.End{})
			lambda, momentum, lr := float32(o.Lambda), float32(o.Momentum), float32(rate)
			for k, w := range m.W {
				g := grad[k] / float32(batch)
				switch {
				case w > 0:
					g += lambda
				case w < 0:
					g -= lambda
				}
				velocity[k] = float32(momentum*velocity[k]) + float32(lr*g)
				m.W[k] = w - velocity[k]
			}
			if o.Progress != nil {
				o.Progress(step+1, steps, loss)
			}
		}
	}
	m.Loss = make([]float64, out)
	for lo := 0; lo < rows; lo += batch {
		n := min(batch, rows-lo)
		m.residual(threads, n, x[lo*in:][:n*in], y[lo*out:][:n*out], residual, m.Loss)
	}
	for j := range m.Loss {
		m.Loss[j] /= float64(rows)
	}
	return m, nil
}

// residual sets dst to x W^T - y, of n rows, and returns the mean over units and rows of
// half its square; unless sums is nil, each unit's sum is added there.
func (m *Mapping) residual(threads, n int, x, y, dst []float32, sums []float64) (loss float64) {
	level3.Gemm(threads, n, m.Out, m.In, level3.Rows{Data: x, Stride: m.In}, level3.Rows{Data: m.W, Stride: m.In}, dst, m.Out, level3.End{})
	for i, v := range y[:n*m.Out] {
		dst[i] -= v
		half := float64(dst[i]) * float64(dst[i]) / 2
		loss += half
		if sums != nil {
			sums[i%m.Out] += half
		}
	}
	return loss / float64(n*m.Out)
}

// standardised returns columns less their means and over their standard deviations.
func standardised(x []float32, units int) ([]float32, error) {
	rows := len(x) / units
	mean, square := make([]float64, units), make([]float64, units)
	for i, v := range x {
		if !finite(float64(v)) {
			return nil, fmt.Errorf("row %d, unit %d: activation is %v", i/units, i%units, v)
		}
		mean[i%units] += float64(v) / float64(rows)
	}
	for i, v := range x {
		d := float64(v) - mean[i%units]
		square[i%units] += float64(d*d) / float64(rows)
	}
	z := make([]float32, len(x))
	for i, v := range x {
		if s := math.Sqrt(square[i%units]); s > 0 {
			z[i] = float32((float64(v) - mean[i%units]) / s)
		}
	}
	return z, nil
}
