package bench

import "github.com/convergent-go/convergent/internal/level3"

// Work is something to time.
type Work struct {
	Name       string  // as the benchmarks are named: conv/caffenet.conv3/forward
	Operations float64 // of one run by the textbook algorithm, of which a multiply-add is two; 0: it depends on the data
	Images     int     // of one training step, else 0
	Tolerance  float64 // how far a peer's results may lie from these, as a share of the largest
	Spec       any     // the entry of the list, such as Conv or Gemm

	start func(threads int) (*Job, error)
}

// Job is work on its inputs, ready to run as often as wanted.
type Job struct {
	Run     func() error       // one run
	Results func() [][]float64 // what the work computed, array by array
}

// Prepare makes the inputs and runs the work once, so that its buffers exist.
func (w Work) Prepare(threads int) (*Job, error) {
	j, err := w.start(threads)
	if err != nil {
		return nil, err
	}
	return j, j.Run()
}

// Peak measures the multiply-add peak of a number of threads, in operations a second.
func Peak(threads int) float64 { return level3.Peak() * float64(threads) }

// Float64s returns numbers as float64.
func Float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
