package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/internal/vec"
)

// BatchNorm2D normalises each channel over the images and positions of a batch, then
// scales and shifts it by learned parameters (Ioffe and Szegedy, ICML 2015):
//
//	y = gamma * (x - mean) / sqrt(variance + Eps) + beta
//
// In training, mean and variance are those of the batch's n values of the channel, and
// move the running ones, which begin with 0 and 1 and are used everywhere else:
//
//	running = (1 - Momentum) * running + Momentum * batch
//
// As in PyTorch, the variance is a sum divided by n, and by n - 1 where it moves the
// running one. A network's file names gamma layer.weight and beta layer.bias, and the
// running statistics layer.running_mean and layer.running_var.
type BatchNorm2D struct {
	Name        string
	Momentum    float64 // of the running statistics, in (0, 1]; 0 means 0.1
	Eps         float64 // keeps the divisor from zero; 0 means 1e-5
	Gamma, Beta *Rate   // nil: {1, 0}, no decay
}

func (l BatchNorm2D) name() string                             { return l.Name }
func (l BatchNorm2D) window() (size, stride, pad int, ok bool) { return 1, 1, 0, true }

func (l BatchNorm2D) output(in Shape) (Shape, error) {
	if !(l.Momentum >= 0 && l.Momentum <= 1) || !(l.Eps >= 0) {
		return Shape{}, fmt.Errorf("momentum %g, eps %g: momentum must be in [0, 1], eps not negative", l.Momentum, l.Eps)
	}
	return in, nil
}

func (l BatchNorm2D) build(in Shape, _ *rand.Rand) op {
	if l.Momentum == 0 {
		l.Momentum = 0.1
	}
	if l.Eps == 0 {
		l.Eps = 1e-5
	}
	return &batchNormOp{
		layer: l,
		gamma: newVector(l.Name+".weight", in.C, 1, l.Gamma), beta: newVector(l.Name+".bias", in.C, 0, l.Beta),
		mean: make([]float32, in.C), variance: slices.Repeat([]float32{1}, in.C),
		batchMean: make([]float64, in.C), inverseStd: make([]float64, in.C),
		scale: make([]float32, in.C), shift: make([]float32, in.C), slope: make([]float32, in.C),
	}
}

// batchNormOp is BatchNorm2D at work. All its slices but sums have an element for each
// channel.
type batchNormOp struct {
	layer                 BatchNorm2D
	gamma, beta           *Param
	mean, variance        []float32 // running
	batchMean, inverseStd []float64 // of the last batch in training, 1/sqrt(variance + Eps)
	scale, shift, slope   []float32 // factors and terms of the elements
	sums                  []float64 // scratch of channelSums
}

func (o *batchNormOp) params() []*Param { return []*Param{o.gamma, o.beta} }
func (o *batchNormOp) inPlace() bool    { return false }

func (o *batchNormOp) statistics() []safetensors.Tensor {
	shape := o.gamma.Shape
	return []safetensors.Tensor{
		{Name: o.layer.Name + ".running_mean", Shape: shape, F32: o.mean},
		{Name: o.layer.Name + ".running_var", Shape: shape, F32: o.variance},
	}
}

// forward computes scale*x + shift.
func (o *batchNormOp) forward(p pass, y, x *Tensor) {
	if p.train {
		o.observe(p.threads, x)
	}
	for c, gamma := range o.gamma.Data {
		mean, inverseStd := float64(o.mean[c]), 1/math.Sqrt(float64(o.variance[c])+o.layer.Eps)
		if p.train {
			mean, inverseStd = o.batchMean[c], o.inverseStd[c]
		}
		scale := float64(gamma) * inverseStd
		o.scale[c] = float32(scale)
		o.shift[c] = float32(float64(o.beta.Data[c]) - float64(scale*mean))
	}
	x.forEach(p.threads, func(i int) {
		vec.Affine(y.image(i), x.image(i), o.scale, o.shift)
		if p.relu {
			vec.ReLU(y.image(i))
		}
	})
}

// observe sets the batch's statistics and moves the running ones.
func (o *batchNormOp) observe(threads int, x *Tensor) {
	n := float64(x.N * x.H * x.W)
	sum, squares := o.channelSums(threads, x, x)
	move := func(running *float32, batch float64) {
		m := o.layer.Momentum
		*running = float32(float64((1-m)*float64(*running)) + float64(m*batch))
	}
	for c, s := range sum {
		mean := s / n
		// In float64 the difference is exact enough: squares of float32 lose nothing.
		variance := max(0, squares[c]/n-float64(mean*mean))
		o.batchMean[c], o.inverseStd[c] = mean, 1/math.Sqrt(variance+o.layer.Eps)
		move(&o.mean[c], mean)
		move(&o.variance[c], variance*(n/(n-1)))
	}
}

// backward has, for the normalised values z = (x - mean) * inverseStd,
//
//	dbeta = sum dy,  dgamma = sum dy*z,
//	dx = gamma * inverseStd * (dy - dbeta/n - z*dgamma/n)
//
// with sums over the n values of a channel. It computes dx as scale*dy + (slope*x + shift).
func (o *batchNormOp) backward(p pass, dx, dy, y, x *Tensor) {
	o.gamma.Grad, o.beta.Grad = grow(o.gamma.Grad, x.C), grow(o.beta.Grad, x.C)
	n := float64(x.N * x.H * x.W)
	sum, products := o.channelSums(p.threads, dy, x)
	for c, gamma := range o.gamma.Data {
		mean, inverseStd := o.batchMean[c], o.inverseStd[c]
		dgamma := (products[c] - float64(mean*sum[c])) * inverseStd
		o.gamma.Grad[c], o.beta.Grad[c] = float32(dgamma), float32(sum[c])
		scale := float64(gamma) * inverseStd
		slope := -scale * inverseStd * dgamma / n
		o.scale[c], o.slope[c] = float32(scale), float32(slope)
		o.shift[c] = float32(-scale*sum[c]/n - float64(slope*mean))
	}
	if dx == nil {
		return
	}
	x.forEach(p.threads, func(i int) {
		vec.AffineSum(dx.image(i), dy.image(i), x.image(i), o.scale, o.slope, o.shift)
	})
}

// channelSums returns for each channel the sum of a and that of the products of a and b,
// in float64, which holds each product exactly: first over each image's positions, in
// order, then over images, in order.
func (o *batchNormOp) channelSums(threads int, a, b *Tensor) (sum, products []float64) {
	c := a.C
	o.sums = grow(o.sums, a.N*2*c)
	a.forEach(threads, func(i int) {
		sums := o.sums[i*2*c:][:2*c]
		clear(sums)
		vec.ColumnSums(sums[:c], sums[c:], a.image(i), b.image(i))
	})
	total := o.sums[:2*c]
	for i := 1; i < a.N; i++ {
		for k, s := range o.sums[i*2*c:][:2*c] {
			total[k] += s
		}
	}
	return total[:c], total[c:]
}
