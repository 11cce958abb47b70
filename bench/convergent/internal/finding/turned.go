package finding

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/selection"
)

// turnable is networks whose units can be turned into a random basis.
//
// Units are turned by a rotation from the Haar measure, in the metric of the network's own
// activations: if a network's basis is itself a random one, then its own units and those of
// every draw have one distribution, so that the share of draws that are as far out is an
// exact p-value. No other metric has that.
type turnable interface {
	// live are the units of a network that vary.
	live(network int) []int
	// between returns the correlations of the live units of two networks.
	between(a, b int) *mat.Dense
	// turning gets the units of a network at the given places among the live ones ready to be
	// turned in the space that they span, again and again: each time by random numbers, to give
	// what the live units of other networks correlate with them.
	turning(network int, places []int) turning
}

// turning turns units, and sets dst to what the live units of another network correlate with them.
type turning func(rnd *rand.Rand) func(dst *mat.Dense, other int)

// afterReLU is networks whose activations, as they are compared, are turned: moments tell
// all of that.
type afterReLU struct{ *corr.Moments }

func (m afterReLU) live(network int) []int { return m.Live(network) }

func (m afterReLU) pair(a, b int) *corr.Pair {
	c := m.Pair(a, b)
	c.Threads = 1
	return c
}

func (m afterReLU) between(a, b int) *mat.Dense { return m.pair(a, b).Correlation() }

func (m afterReLU) turning(network int, places []int) turning {
	ready := make([]func() *corr.Turning, m.Networks()) // by the other network
	for other := range ready {
		ready[other] = sync.OnceValue(func() *corr.Turning {
			c := m.pair(other, network)
			if len(places) < len(c.UnitsB) {
				c = c.Select(numbers(len(c.UnitsA)), places)
			}
			return c.Turning()
		})
	}
	return func(rnd *rand.Rand) func(*mat.Dense, int) {
		seed := [2]uint64{rnd.Uint64(), rnd.Uint64()} // alike for all others
		return func(dst *mat.Dense, other int) {
			ready[other]().Correlation(dst, rand.New(rand.NewPCG(seed[0], seed[1])))
		}
	}
}

// beforeReLU is networks of which the inputs of the ReLU are turned, at a sample of
// observations. Every turned unit is given a threshold of its own, such that it is active as
// often as the unit whose place it takes, and rectified: other directions of the space that
// the ReLU's inputs span, in a code as sparse and as one-sided as the network's own.
type beforeReLU struct {
	observations int
	networks     []rectifiedNetwork
}

// rectifiedNetwork is the live units of a network.
type rectifiedNetwork struct {
	units   []int
	outputs []float32 // units x observations, of mean 0 and norm 1
	inputs  []float32 // units x observations, of mean 0
	active  []int     // of each unit, the observations where it is above 0
}

// newBeforeReLU gathers some sampled observations of all networks: of themselves, whose
// outputs are sampled too, or in a state of which the inputs tell them.
func newBeforeReLU(s *observe.Sample, state observe.State, networks int) *beforeReLU {
	b := new(beforeReLU)
	for k := range networks {
		inputs := s.Observations(state, k, turnedRows)
		outputs := make([][]float32, len(inputs))
		for unit, in := range inputs {
			outputs[unit] = slices.Clone(in)
			rectify(outputs[unit], 0)
		}
		if state == observe.BeforeReLU {
			outputs = s.Observations(observe.Own, k, turnedRows)
		}
		b.add(inputs, outputs)
	}
	return b
}

// add adds a network, by the inputs and outputs of the ReLU of each unit, which it changes.
func (b *beforeReLU) add(inputs, outputs [][]float32) {
	var n rectifiedNetwork
	for unit, out := range outputs {
		active := 0
		for _, v := range out {
			if v > 0 {
				active++
			}
		}
		if b.observations = len(out); !standardise(out) {
			continue
		}
		centre(inputs[unit])
		n.units, n.active = append(n.units, unit), append(n.active, active)
		n.outputs, n.inputs = append(n.outputs, out...), append(n.inputs, inputs[unit]...)
	}
	b.networks = append(b.networks, n)
}

// turnedRows is at how many observations units are turned.
const turnedRows = 2048

func (b *beforeReLU) live(network int) []int { return b.networks[network].units }

func (b *beforeReLU) between(x, y int) *mat.Dense {
	r := mat.NewDense(len(b.live(x)), len(b.live(y)), nil)
	b.product(r, x, b.networks[y].outputs)
	return r
}

// product sets r to the correlations of a network's units with units of mean 0 and norm 1.
func (b *beforeReLU) product(r *mat.Dense, network int, units []float32) {
	p, q := len(b.networks[network].units), len(units)/b.observations
	sums := level3.Scratch(p * q)
	defer level3.Release(sums)
	level3.Gemm(1, level3.Product{M: p, N: q, K: b.observations, A: level3.Rows{Data: b.networks[network].outputs, Stride: b.observations}, B: level3.Rows{Data: units, Stride: b.observations}, C: *sums, LDC: q})
	for i, v := range *sums {
		r.RawMatrix().Data[i] = float64(v)
	}
}

func (b *beforeReLU) turning(network int, places []int) turning {
	n, rows := b.networks[network], b.observations
	inputs := n.inputs
	if len(places) < len(n.units) {
		inputs = make([]float32, 0, len(places)*rows)
		for _, at := range places {
			inputs = append(inputs, n.inputs[at*rows:][:rows]...)
		}
	}
	return func(rnd *rand.Rand) func(*mat.Dense, int) {
		turned := b.turn(inputs, pick(n.active, places), rnd)
		return func(dst *mat.Dense, other int) { b.product(dst, other, turned) }
	}
}

// turn returns units, whose inputs are given, in a random basis, each active at as many
// observations as active says.
func (b *beforeReLU) turn(inputs []float32, active []int, rnd *rand.Rand) []float32 {
	units, rows := len(active), b.observations
	q := make([]float32, units*units)
	for i, v := range corr.Rotation(units, rnd).RawMatrix().Data {
		q[i] = float32(v)
	}
	turned, values, scratch := make([]float32, units*rows), make([]float32, rows), make([]float32, rows)
	level3.Gemm(1, level3.Product{M: units, N: rows, K: units, A: level3.Cols{Data: q, Stride: units}, B: level3.Cols{Data: inputs, Stride: rows}, C: turned, LDC: rows})
	for i, active := range active {
		unit := turned[i*rows:][:rows]
		if inactive := rows - active; inactive > 0 {
			copy(values, unit)
			rectify(unit, selection.Value(values, scratch, inactive-1))
		}
		standardise(unit)
	}
	return turned
}

// rectify sets x to max(0, x - threshold).
func rectify(x []float32, threshold float32) {
	for i, v := range x {
		x[i] = max(0, v-threshold)
	}
}

// centre gives x mean 0.
func centre(x []float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for i, v := range x {
		x[i] = float32(float64(v) - mean)
	}
}

// standardise gives x mean 0 and norm 1, and reports whether it varies, without which it
// stays as it is.
func standardise(x []float32) bool {
	if !slices.ContainsFunc(x, func(v float32) bool { return v != x[0] }) {
		return false
	}
	centre(x)
	var square float64
	for _, v := range x {
		square += float64(float64(v) * float64(v))
	}
	scale := float32(1 / math.Sqrt(square))
	for i := range x {
		x[i] *= scale
	}
	return true
}

// numbers are 0, 1, ..., n-1.
func numbers(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}
