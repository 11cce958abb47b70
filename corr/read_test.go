package corr

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// filled returns moments of observations that are not a whole number of blocks.
func filled(t *testing.T, rows int, units ...int) *Moments {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 9))
	m := NewMoments(units...)
	var activations [][]float32
	for _, u := range units {
		x := make([]float32, rows*u)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
		}
		activations = append(activations, x)
	}
	if err := m.Add(rows, activations...); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestReadingMemory: of many figures only the first copies the products, and what is added
// is in the next.
func TestReadingMemory(t *testing.T) {
	const p = 300
	m := filled(t, 1000, p)
	read := func() (bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m.Mean(0)
		m.Std(0)
		m.Live(0)
		m.Dead(0)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if first := read(); first < 8*p*p {
		t.Errorf("the first reading takes %d bytes, and does not copy", first)
	}
	if next := read(); next > 64*p {
		t.Errorf("the next reading takes %d bytes", next)
	}
	before := m.Mean(0)
	if err := m.Add(1, slices.Repeat([]float32{1e6}, p)); err != nil {
		t.Fatal(err)
	}
	if after := m.Mean(0); after[0] < before[0]+900 {
		t.Errorf("mean %v after more observations, %v before", after[0], before[0])
	}
}

// TestConcurrentReading is for the race detector.
func TestConcurrentReading(t *testing.T) {
	m := filled(t, 500, 6, 7)
	h := NewHSIC(2, 3)
	if err := h.Add(5, []float32{1, 2, 3, 4, 5, 1, 2, 4, 4, 2}, slices.Repeat([]float32{1, 5, 2, 7, 4}, 3)); err != nil {
		t.Fatal(err)
	}
	figures := func() []any {
		a, _ := m.Pair(0, 1).CKA()
		b, _ := h.CKA(0, 1)
		return []any{m.Mean(1), m.Std(0), m.Live(0), m.Correlation(nil, 0, 1), m.Covariance(nil, 1, 1), a, b}
	}
	all := make([][]any, 8)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() { all[i] = figures() })
	}
	group.Wait()
	for _, f := range all {
		if !reflect.DeepEqual(f, all[0]) {
			t.Error("figures differ from one goroutine to the next")
		}
	}
}

// TestIndices: what there is not is not read from another network.
func TestIndices(t *testing.T) {
	m := filled(t, 20, 4, 5)
	g := NewGroups(3, 4, 5)
	h := NewHSIC(2, 3, 4)
	for name, c := range map[string]struct {
		want string
		f    func()
	}{
		"PairOf, beyond": {badUnit, func() { m.PairOf(0, 1, []int{4}, []int{0}) }},
		"PairOf, below":  {badUnit, func() { m.PairOf(0, 1, []int{0}, []int{-1}) }},
		"PairOf":         {badNetwork, func() { m.PairOf(0, 2, []int{0}, []int{0}) }},
		"Pair":           {badNetwork, func() { m.Pair(-1, 0) }},
		"Units":          {badNetwork, func() { m.Units(2) }},
		"Mean":           {badNetwork, func() { m.Mean(2) }},
		"Std":            {badNetwork, func() { m.Std(-1) }},
		"Dead":           {badNetwork, func() { m.Dead(2) }},
		"Live":           {badNetwork, func() { m.Live(2) }},
		"Correlation":    {badNetwork, func() { m.Correlation(nil, 0, 2) }},
		"Covariance":     {badNetwork, func() { m.Covariance(nil, -1, 0) }},
		"Describe":       {badNetwork, func() { m.Describe(2, Network{}) }},
		"Network":        {badNetwork, func() { m.Network(2) }},
		"Groups.Means":   {badNetwork, func() { g.Means(2) }},
		"Groups.Group":   {badGroup, func() { g.Group(3) }},
		"Groups.Sum":     {badGroup, func() { g.Sum(0, -1) }},
		"Groups.Rows":    {badGroup, func() { g.Rows(3) }},
		"HSIC.CKA":       {badNetwork, func() { h.CKA(0, 5) }},
		"HSIC.Unbiased":  {badNetwork, func() { h.Unbiased(0, 5) }},
		"HSIC.Debiased":  {badNetwork, func() { h.DebiasedCKA(-1, 0) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("%s: panic %v, want %q", name, got, c.want)
				}
			}()
			c.f()
		}()
	}
}

// TestRBFWidth: a kernel without a width is an error.
func TestRBFWidth(t *testing.T) {
	g := NewGram(3)
	if err := g.Add(nil, Rows([]float32{1, 2, 4}, 3, 1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{0, -1, math.NaN()} {
		if _, err := g.RBF(share); err == nil {
			t.Errorf("share %v: no error", share)
		}
	}
	if _, err := g.RBF(0.5); err != nil {
		t.Error(err)
	}
}
