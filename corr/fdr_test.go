package corr_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/corr"
)

// TestBenjaminiHochberg compares with the p-values of Benjamini and Hochberg (1995), table 2,
// whose adjusted ones the documentation of scipy.stats.false_discovery_control gives.
func TestBenjaminiHochberg(t *testing.T) {
	p := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000}
	want := []float64{0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486, 0.58118182, 0.714875, 0.75323077, 0.81321429, 1}
	check := func(p, want []float64) {
		t.Helper()
		for i, q := range corr.BenjaminiHochberg(p) {
			if math.Abs(q-want[i]) > 1e-8 || math.IsNaN(q) != math.IsNaN(want[i]) {
				t.Errorf("q of %v is %v, want %v", p[i], q, want[i])
			}
		}
	}
	check(p, want)
	// The order does not matter, and what is no test does not count.
	var mixed, mixedWant []float64
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(p)) {
		mixed, mixedWant = append(mixed, p[i], math.NaN()), append(mixedWant, want[i], math.NaN())
	}
	check(mixed, mixedWant)
	check([]float64{0.02, 0.5, 0.02}, []float64{0.03, 0.5, 0.03})
	check([]float64{0.7, 0.7}, []float64{0.7, 0.7})
	check(nil, nil)
	for _, p := range []float64{-0.1, 1.1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a p-value of %v is taken", p)
				}
			}()
			corr.BenjaminiHochberg([]float64{p})
		}()
	}
}

// TestBenjaminiHochbergRate: of many tests of which most are of nothing, the share of false
// ones among the found is the rate times the share of those.
func TestBenjaminiHochbergRate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const sets, tests, nothing = 400, 100, 70
	total := 0.0
	for range sets {
		p := make([]float64, tests)
		for i := range p {
			p[i] = rnd.Float64()
			if i >= nothing {
				p[i] *= 0.01
			}
		}
		found, wrong := 0.0, 0.0
		for i, q := range corr.BenjaminiHochberg(p) {
			if q <= 0.1 {
				found++
				if i < nothing {
					wrong++
				}
			}
		}
		total += wrong / max(1, found) / sets
	}
	if want := 0.1 * nothing / tests; math.Abs(total-want) > 0.01 {
		t.Errorf("false discovery rate %v, want %v", total, want)
	}
}
