package observe

import (
	"fmt"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// State is which activations of a network are meant.
type State int

const (
	Own                 State = iota // those that are compared
	BeforeReLU                       // what the ReLU made these of
	UntrainedBeforeReLU              // the same before training
)

// statesOf lists the states that a source has of a layer, of which observations are sampled.
func statesOf(d *source.Description, a source.Aligned) []State {
	states := []State{Own}
	if a.Linear {
		return states
	}
	if d.BeforeReLU {
		states = append(states, BeforeReLU)
	}
	if d.BaselineBeforeReLU {
		states = append(states, UntrainedBeforeReLU)
	}
	return states
}

// tensors are a batch's activations of aligned layers in a state, by network.
func (s State) tensors(a source.Aligned, b *source.Batch) []source.Tensor {
	switch s {
	case BeforeReLU:
		return a.Tensors(b.BeforeReLU)
	case UntrainedBeforeReLU:
		return a.Tensors(b.BaselineBeforeReLU)
	}
	return a.Tensors(b.Networks)
}

// String is what an error adds to the name of a network.
func (s State) String() string {
	return [...]string{"", " before the ReLU", " before training and the ReLU"}[s]
}

// Has reports whether observations of a state are sampled.
func (s *Sample) Has(state State) bool { return s.at(state) >= 0 }

// at is the place of a state among those that are sampled, or -1.
func (s *Sample) at(state State) int {
	for k, own := range s.states {
		if own == state {
			return k
		}
	}
	return -1
}

// Observations returns the activations of each unit of a network in a state, at so many of
// the sampled observations, or those that there are: the same of all networks and states,
// spread over images.
func (s *Sample) Observations(state State, network, limit int) [][]float32 {
	units := s.units[network]
	columns := make([][]float32, units)
	k := s.at(state)*len(s.units) + network
	for i := range s.perImage {
		for _, im := range s.images {
			if i >= len(im.slots) {
				continue
			}
			if len(columns[0]) == limit {
				return columns
			}
			for u := range columns {
				columns[u] = append(columns[u], im.rows[k][i*units+u])
			}
		}
	}
	return columns
}

// rectification is how far an activation may be from what the ReLU makes of its input: some
// steps of the coarsest numbers that activations are saved in, bfloat16.
const rectification = 0.01

// rectified returns an error that names the first activation that is not what the ReLU
// makes of its input, padding excepted.
func rectified(t, input source.Tensor, valid []bool, number func(sample int) int, place string) error {
	for i, v := range t.Data {
		at := i / t.Units
		if valid != nil && !valid[at] {
			continue
		}
		z := float64(input.Data[i])
		if math.Abs(float64(v)-max(0, z)) > float64(rectification*math.Abs(z))+1e-6 {
			return fmt.Errorf("%s: sample %d, position %d, unit %d: the activation is %v, and the ReLU makes %v of its input %v; give the ReLU's own inputs, or none where there is no ReLU", place, number(at/t.Positions), at%t.Positions, i%t.Units, v, max(0, z), z)
		}
	}
	return nil
}
