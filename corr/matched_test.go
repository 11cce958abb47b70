package corr

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestJackknifeMatched compares with the correlations of moments that are made of all groups but
// one, of groups with products and of groups that are kept as they came, one of them empty, and
// of units of great means and none that vary.
func TestJackknifeMatched(t *testing.T) {
	for name, units := range map[string]int{"products": 12, "kept": 900} {
		t.Run(name, func(t *testing.T) {
			const groups, images, positions = 5, 400, 2
			rnd := rand.New(rand.NewPCG(3, 4))
			g := NewGroups(groups+1, units, units-3)
			var without [groups + 1]*Moments // the last of all
			for i := range without {
				without[i] = NewMoments(units, units-3)
			}
			unitsA, unitsB := []int{0, 3, 7, 2, 5}, []int{4, 1, 8, 6, 0}
			for image := range images {
				group := image % (groups + 1)
				if group == 3 {
					continue // which stays empty
				}
				x, y := make([]float32, positions*units), make([]float32, positions*(units-3))
				for i := range x {
					x[i] = float32(rnd.NormFloat64())
				}
				for i := range y {
					y[i] = 1000 + x[i]*float32(i%5)/4 + float32(rnd.NormFloat64())
				}
				for at := range positions {
					x[at*units+5] = 7
				}
				tensors := []Tensor{NHWC(x, 1, 1, positions, units), NHWC(y, 1, 1, positions, units-3)}
				if err := g.AddTensors(nil, []uint64{uint64(group)}, tensors...); err != nil {
					t.Fatal(err)
				}
				for i, m := range without {
					if i != group || i == groups {
						if err := m.AddTensors(nil, tensors...); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if kept := g.parts[0].kept(); kept != (name == "kept") {
				t.Fatal("groups are not what is tested")
			}
			g.Close()
			want := func(m *Moments) (mean float64) {
				r := m.Correlation(nil, 0, 1)
				for k, i := range unitsA {
					if v := r.At(i, unitsB[k]); !math.IsNaN(v) {
						mean += v / float64(len(unitsA))
					}
				}
				return mean
			}
			j := g.JackknifeMatched(0, 1, unitsA, unitsB)
			all := without[groups]
			// The last group, too, has observations: those of all but it are not made above.
			if len(j.Without) != groups || math.Abs(j.Value-want(all)) > 2e-6 {
				t.Errorf("%v of %d groups, want %v", j.Value, len(j.Without), want(all))
			}
			for i, group := range []int{0, 1, 2, 4} {
				if math.Abs(j.Without[i]-want(without[group])) > 2e-6 || j.Rows[i] != float64(g.Rows(group)) {
					t.Errorf("without group %d: %v of %v rows, want %v", group, j.Without[i], j.Rows[i], want(without[group]))
				}
			}
		})
	}
}

func TestJackknifeMatchedPanics(t *testing.T) {
	g := NewGroups(2, 3, 3)
	for name, f := range map[string]func(){
		"units not in pairs": func() { g.JackknifeMatched(0, 1, []int{0, 1}, []int{0}) },
		"unknown network":    func() { g.JackknifeMatched(0, 2, []int{0}, []int{0}) },
		"no partner":         func() { g.JackknifeMatched(0, 1, []int{2}, []int{-1}) },
		"unit of another":    func() { g.JackknifeMatched(0, 1, []int{3}, []int{0}) },
		"unknown group":      func() { g.JackknifeMatched(0, 1, []int{0}, []int{0}, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	if j := g.JackknifeMatched(0, 1, []int{0}, []int{1}); len(j.Without) != 0 || j.Value != 0 {
		t.Errorf("of no observation %+v", j)
	}
}
