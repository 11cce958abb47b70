package nn

import (
	"math"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/elem"
)

// Init says how weights start. The zero value is MSRA.
type Init struct {
	kind initKind
	std  float64
}

type initKind int

const (
	msra initKind = iota
	xavier
	gaussian
)

// MSRA draws from a normal distribution of variance 2 / fan-in, which keeps the
// variance of activations through ReLUs (He et al., ICCV 2015).
func MSRA() Init { return Init{kind: msra} }

// Xavier draws uniformly with variance 1 / fan-in (Glorot and Bengio, AISTATS
// 2010, as Caffe has it).
func Xavier() Init { return Init{kind: xavier} }

// Gaussian draws from a normal distribution of the given standard deviation.
func Gaussian(std float64) Init { return Init{kind: gaussian, std: std} }

func (in Init) fill(w []float32, fanIn int, rnd *rand.Rand) {
	std := in.std
	switch in.kind {
	case xavier:
		bound := math.Sqrt(3 / float64(fanIn))
		for i := range w {
			w[i] = float32(float64(2*rnd.Float64()-1) * bound)
		}
		return
	case msra:
		std = math.Sqrt(2 / float64(fanIn))
	}
	for i := 0; i < len(w); i += 2 {
		// Box and Muller: two normal numbers from two uniform ones.
		radius := std * math.Sqrt(-2*elem.Log(1-rnd.Float64()))
		angle := 2 * math.Pi * rnd.Float64()
		w[i] = float32(float64(radius * elem.Cos(angle)))
		if i+1 < len(w) {
			w[i+1] = float32(float64(radius * elem.Sin(angle)))
		}
	}
}
