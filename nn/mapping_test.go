package nn_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/nn"
)

// TestMapping: of independent units of variance 1 the LASSO's weights are known, soft
// thresholds of the correlations, and so is its loss; SGD comes near, and not to 0.
func TestMapping(t *testing.T) {
	const rows, in, out, lambda = 1 << 12, 6, 3, 0.1
	x, y := make([]float32, rows*in), make([]float32, rows*out)
	for r := range rows {
		for j := range in { // exactly uncorrelated: bits of the row's number
			x[r*in+j] = 5 + 3*float32(2*(r>>j&1)-1)
		}
		noise := 2*float64(r>>in&1) - 1
		for k := range out {
			y[r*out+k] = float32(noise*math.Sqrt(0.75) + float64(k)) // variance 0.75 from here
			y[r*out+k] += float32(2*(r>>k&1)-1) / 2                  // 0.25 from unit k
		}
	}
	o := nn.MappingOptions{Lambda: lambda, Epochs: 30, Seed: 3, Threads: 1}
	m, err := nn.TrainMapping(context.Background(), rows, x, in, y, out, o)
	if err != nil {
		t.Fatal(err)
	}
	for k := range out {
		for j := range in {
			want := 0.0
			if j == k {
				want = 0.5 - lambda
			}
			if got := float64(m.W[k*in+j]); math.Abs(got-want) > 5e-3 {
				t.Errorf("weight (%d, %d) is %v, want %v", k, j, got, want)
			}
		}
		if want := 0.5 * (0.75 + lambda*lambda); math.Abs(m.Loss[k]-want) > 3e-3 {
			t.Errorf("loss of unit %d is %v, want %v", k, m.Loss[k], want)
		}
	}
	o.Threads = 3
	again, err := nn.TrainMapping(context.Background(), rows, x, in, y, out, o)
	if err != nil || !slices.Equal(m.W, again.W) {
		t.Errorf("three threads give other weights (%v)", err)
	}
	o.Schedule = nn.Constant(50)
	var diverged *nn.DivergedError
	if _, err := nn.TrainMapping(context.Background(), rows, x, in, y, out, o); !errors.As(err, &diverged) {
		t.Errorf("a rate of 50: %v", err)
	}
	x[7*in+2] = float32(math.NaN())
	if _, err := nn.TrainMapping(context.Background(), rows, x, in, y, out, o); err == nil || !strings.Contains(err.Error(), "inputs: row 7, unit 2") {
		t.Errorf("NaN: %v", err)
	}
}
