package report

import (
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// TestExplorable: of many layers the page has as many as it can hold, those that are too wide
// for what is left or for any page are left out, and narrower ones after them are not.
func TestExplorable(t *testing.T) {
	c := &contents{networks: make([]name, 2)}
	want := []bool{true, true, false, false, true}
	for _, units := range []int{600, 600, 600, 700, 300} { // of either network
		c.layers = append(c.layers, layer{Layer: results.Layer{Units: []int{units, units}}})
	}
	for i, fits := range want {
		if c.explorable(i) != fits {
			t.Errorf("layer %d of %d units: %v", i, 2*c.layers[i].Units[0], !fits)
		}
	}
}
