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
	In, Out int       // numbers of units
	W       []float32 // Out x In, for units of mean 0 and variance 1
	Loss    []float64 // per unit of Out, over all rows: 1/2 E(w.x - y)^2
}

// MappingOptions say how TrainMapping works; the zero value is a plain regression.
type MappingOptions struct {
	Lambda   float64                             // of the penalty lambda |w|_1 for each unit of Out
	Epochs   int                                 // 0: 20
	Batch    int                                 // rows a step; 0: 128
	Schedule Schedule                            // nil: OneCycle(0.01)
	Momentum float64                             // 0: 0.9; below 0: none
	Seed     uint64                              // of first weights and of the order of rows
	Threads  int                                 // 0: all
	Progress func(step, steps int, loss float64) // called after each step, if not nil
}

// withDefaults returns the options with their defaults for a number of rows.
func (o MappingOptions) withDefaults(rows int) MappingOptions {
	if o.Epochs == 0 {
		o.Epochs = 20
	}
	if o.Batch == 0 {
		o.Batch = 128
	}
	o.Batch = min(o.Batch, rows)
	if o.Schedule == nil {
		o.Schedule = OneCycle(0.01)
	}
	switch {
	case o.Momentum == 0:
		o.Momentum = 0.9
	case o.Momentum < 0:
		o.Momentum = 0
	}
	o.Threads = par.Threads(o.Threads)
	return o
}

// TrainMapping predicts a network's units from another's as the paper did (section 4):
// by a mapping layer, whose weights are penalised by their absolute values, trained by
// stochastic gradient descent on rows of activations, x with in and y with out units a
// row. Units are centred and scaled to variance 1 first; those of variance 0 stay 0.
//
// Where it has not converged, and its weights are never exactly 0, it differs from the
// LASSO, which package match solves exactly: that is what it is here for.
//
// NaN and infinite activations are an *[ActivationError], and a loss that is
// not finite is a *[DivergedError]. TrainMapping panics if lengths do not fit. The
// result does not depend on Threads.
//
// It takes rows x in x out steps an epoch, forward and back.
func TrainMapping(ctx context.Context, rows int, x []float32, in int, y []float32, out int, o MappingOptions) (*Mapping, error) {
	if in < 1 || out < 1 || len(x) != rows*in || len(y) != rows*out {
		panic("nn: activations have the wrong length")
	}
	if rows == 0 {
		return nil, errors.New("nn: a mapping needs activations")
	}
	x, err := standardise(x, in)
	if err != nil {
		return nil, fmt.Errorf("nn: inputs: %w", err)
	}
	if y, err = standardise(y, out); err != nil {
		return nil, fmt.Errorf("nn: outputs: %w", err)
	}
	m := &Mapping{In: in, Out: out, W: make([]float32, out*in)}
	o = o.withDefaults(rows)
	t := mappingTraining{Mapping: m, MappingOptions: o, x: x, y: y,
		batchX: make([]float32, o.Batch*in), batchY: make([]float32, o.Batch*out), residual: make([]float32, o.Batch*out),
		grad: make([]float32, len(m.W)), velocity: make([]float32, len(m.W))}
	if err := t.run(ctx, rows); err != nil {
		return nil, err
	}
	t.setLoss(rows)
	return m, nil
}

// ActivationError says which activation is NaN or infinite.
type ActivationError struct {
	Row, Unit int
	Value     float32
}

func (e *ActivationError) Error() string {
	return fmt.Sprintf("row %d, unit %d: activation is %v", e.Row, e.Unit, e.Value)
}

// mappingTraining is a mapping in training, on standardised rows.
type mappingTraining struct {
	*Mapping
	MappingOptions
	x, y           []float32
	batchX, batchY []float32 // rows of a step
	residual       []float32 // of a batch
	grad, velocity []float32 // of W
}

// run draws the first weights and makes all steps.
func (t *mappingTraining) run(ctx context.Context, rows int) error {
	rnd := rand.New(rand.NewPCG(t.Seed, 1))
	for i := range t.W {
		t.W[i] = float32(0.01 * rnd.NormFloat64())
	}
	perEpoch := rows / t.Batch
	steps := t.Epochs * perEpoch
	for epoch := range t.Epochs {
		order := rnd.Perm(rows)
		for i := range perEpoch {
			if err := ctx.Err(); err != nil {
				return err
			}
			step := epoch*perEpoch + i
			rate := t.Schedule(step, steps)
			loss := t.gradient(order[i*t.Batch : (i+1)*t.Batch])
			if !isFinite(loss) {
				return &DivergedError{Epoch: epoch, Step: step, Rate: rate, Loss: loss}
			}
			t.update(rate)
			if t.Progress != nil {
				t.Progress(step+1, steps, loss)
			}
		}
	}
	return nil
}

// gradient sets grad to that of the sum of the losses of a batch of rows, and returns the
// mean loss.
func (t *mappingTraining) gradient(batch []int) (loss float64) {
	for r, row := range batch {
		copy(t.batchX[r*t.In:][:t.In], t.x[row*t.In:])
		copy(t.batchY[r*t.Out:][:t.Out], t.y[row*t.Out:])
	}
	loss = t.setResidual(len(batch), t.batchX, t.batchY, nil)
	level3.Gemm(t.Threads, level3.Product{
		M: t.Out, N: t.In, K: len(batch),
		A: level3.Cols{Data: t.residual, Stride: t.Out}, B: level3.Cols{Data: t.batchX, Stride: t.In}, C: t.grad, LDC: t.In})
	return loss
}

// update makes a step of SGD with momentum and the penalty of absolute values.
func (t *mappingTraining) update(rate float64) {
	lambda, momentum, lr := float32(t.Lambda), float32(t.Momentum), float32(rate)
	for k, w := range t.W {
		g := t.grad[k] / float32(t.Batch)
		if w != 0 { // as it nearly always is; which sign it has could not be foreseen
			g += math.Float32frombits(math.Float32bits(lambda) | math.Float32bits(w)&(1<<31))
		}
		t.velocity[k] = float32(momentum*t.velocity[k]) + float32(lr*g)
		t.W[k] = w - t.velocity[k]
	}
}

// setResidual sets the residual to x W^T - y, of n rows, and returns the mean over units
// and rows of half its square; unless sums is nil, each unit's sum is added there.
func (t *mappingTraining) setResidual(n int, x, y []float32, sums []float64) (loss float64) {
	level3.Gemm(t.Threads, level3.Product{
		M: n, N: t.Out, K: t.In,
		A: level3.Rows{Data: x, Stride: t.In}, B: level3.Rows{Data: t.W, Stride: t.In}, C: t.residual, LDC: t.Out})
	for i, v := range y[:n*t.Out] {
		t.residual[i] -= v
		half := float64(float64(t.residual[i]) * float64(t.residual[i]) / 2)
		loss += half
		if sums != nil {
			sums[i%t.Out] += half
		}
	}
	return loss / float64(n*t.Out)
}

// setLoss sets the mapping's losses to those over all rows.
func (t *mappingTraining) setLoss(rows int) {
	t.Loss = make([]float64, t.Out)
	for lo := 0; lo < rows; lo += t.Batch {
		n := min(t.Batch, rows-lo)
		t.setResidual(n, t.x[lo*t.In:][:n*t.In], t.y[lo*t.Out:][:n*t.Out], t.Loss)
	}
	for j := range t.Loss {
		t.Loss[j] /= float64(rows)
	}
}

// standardise returns columns less their means and over their standard deviations.
func standardise(x []float32, units int) ([]float32, error) {
	rows := len(x) / units
	mean, square := make([]float64, units), make([]float64, units)
	for i, v := range x {
		if !isFinite(float64(v)) {
			return nil, &ActivationError{i / units, i % units, v}
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
