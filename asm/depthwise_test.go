package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// TestDepthwise compares every tier, bit by bit, with the sum written out: for every number
// of outputs round the tiles', channels round the vectors', forward and as gradients are,
// on operands and outputs that end at a guard page.
func TestDepthwise(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for _, outputs := range []int{1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 17} {
			for _, c := range []int{1, 7, 8, 15, 16, 17, 24, 32, 40, 56, 64, 80, 96, 112, 129} {
				for _, shape := range []struct{ rows, cols, step int }{{1, 1, 1}, {3, 3, 1}, {2, 3, 2}, {5, 1, 3}, {7, 7, 1}, {1, 5, 1}} {
					ld, width := c+rnd.IntN(3), shape.cols+shape.step*outputs
					terms := asm.Terms{Rows: shape.rows, Cols: shape.cols, Channels: c,
						X: asm.Strides{Row: width * ld, Col: ld, Output: shape.step * ld},
						W: asm.Strides{Row: shape.cols*c + 3, Col: c}}
					if rnd.IntN(2) == 0 { // as taps of a filter, of positions every so many
						terms.X.Col, terms.X.Output = shape.step*ld, ld
					}
					for _, epilogue := range []string{"", "accumulate", "bias and floor"} {
						depthwiseCase{tier, outputs, terms, ld, epilogue}.check(t, rnd)
					}
				}
			}
		}
	})
}

// depthwiseCase is a call of Depthwise, but for its data.
type depthwiseCase struct {
	tier     asm.Tier
	outputs  int
	terms    asm.Terms
	stride   int
	epilogue string
}

func (d depthwiseCase) check(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	s, n := d.terms, d.terms.Channels
	x := guarded(t, (d.outputs-1)*s.X.Output+(s.Rows-1)*s.X.Row+(s.Cols-1)*s.X.Col+n)
	w := guarded(t, (s.Rows-1)*s.W.Row+(s.Cols-1)*s.W.Col+n)
	y := guarded(t, (d.outputs-1)*d.stride+n)
	fillNormal(rnd, x)
	fillNormal(rnd, w)
	fill(y, canary)
	e := asm.Epilogue{Floor: float32(math.Inf(-1))}
	switch d.epilogue {
	case "accumulate":
		for i := range d.outputs {
			fillNormal(rnd, y[i*d.stride:][:n])
		}
		e.Add, e.Stride = y, d.stride
	case "bias and floor":
		e.Add, e.Floor = guarded(t, n), 0.5
		fillNormal(rnd, e.Add)
	}
	want := slices.Clone(y)
	for i := range d.outputs {
		for c := range n {
			var sum float32
			for row := range s.Rows {
				for col := range s.Cols {
					sum = asm.FMA(x[i*s.X.Output+row*s.X.Row+col*s.X.Col+c], w[row*s.W.Row+col*s.W.Col+c], sum)
				}
			}
			if e.Add != nil {
				sum += e.Add[i*e.Stride+c]
			}
			want[i*d.stride+c] = max(sum, e.Floor)
		}
	}
	d.tier.Depthwise(d.outputs, s, y, d.stride, x, w, e)
	equalBits(t, y, want, fmt.Sprintf("%+v", d))
}
