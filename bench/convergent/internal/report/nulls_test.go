package report

import (
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// TestNullsOfSomeLayers: where the ReLU of some layers alone is known, these have a null more.
func TestNullsOfSomeLayers(t *testing.T) {
	made := func(name string, nulls ...string) layer {
		c := &results.Convergence{Percentiles: []float64{0, 0.5, 1}}
		for _, n := range nulls {
			c.Nulls = append(c.Nulls, results.MatchedNull{Name: n, Percentiles: []float64{-0.2, 0.1}})
		}
		return layer{Layer: results.Layer{Name: name, Convergence: c}}
	}
	d := drawNulls([]layer{made("relu6", rotationNull, shuffleNull), made("relu", rotationNull, inputNull, shuffleNull)})
	if len(d.key) != 4 || len(d.data) != 1+2*3+5*2 {
		t.Errorf("%d series, %d lines of data", len(d.key), len(d.data))
	}
	if last := d.data[len(d.data)-1]; last[0] != "relu" || last[1] != nullDescriptions[inputNull][0] {
		t.Errorf("the last line is %v", last)
	}
}
