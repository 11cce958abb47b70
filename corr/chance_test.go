package corr

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// TestChance: what chance gives, over permutations of n samples, has the closed forms of
// Groeger, Wen and Brbic (2026, propositions 4.1 and 4.2): of whitened features of d1 and
// d2 dimensions |C|_F^2, the sum of squared canonical correlations, is d1 d2/(n-1); mutual
// neighbours are k/(n-1); CKA is of the order of d/n. With CONVERGENT_SETS the sizes go to
// 4,096 samples and 2,048 dimensions, with 200 permutations.
func TestChance(t *testing.T) {
	sizes, draws := []struct{ n, d1, d2 int }{{128, 64, 32}, {256, 128, 200}, {512, 128, 128}}, 40
	switch {
	case testing.Short():
		sizes = sizes[:1]
	case os.Getenv("CONVERGENT_SETS") != "":
		draws = 200
		for _, n := range []int{512, 1024, 2048, 4096} {
			for _, d := range []int{128, 256, 512, 1024, 2048} {
				if d < n {
					sizes = append(sizes, struct{ n, d1, d2 int }{n, d, 128}, struct{ n, d1, d2 int }{n, d, d})
				}
			}
		}
	}
	rnd := rand.New(rand.NewPCG(12, 2))
	for _, s := range sizes {
		x, y := normal(rnd, s.n, s.d1), normal(rnd, s.n, s.d2)
		near := func(what string, c *GramPair, want, tolerance float64, of func(*GramPair) (float64, error)) {
			t.Helper()
			null, err := c.PermutationNull(context.Background(), draws, 1, of)
			if err != nil {
				t.Fatal(err)
			}
			e := null.Std() / math.Sqrt(float64(draws))
			t.Logf("%v: %s %.5g, want %.5g, standard error %.2g", s, what, null.Mean(), want, e)
			if math.Abs(null.Mean()-want) > 4*e+tolerance*want {
				t.Errorf("%v: %s is %v on average, want %v, with a standard error of %v", s, what, null.Mean(), want, e)
			}
		}
		d1, d2, n := float64(s.d1), float64(s.d2), float64(s.n)
		white := gramPair(t, s.n, orthonormal(x, s.n), orthonormal(y, s.n))
		near("|C|_F^2", white, d1*d2/(n-1), 0, func(c *GramPair) (float64, error) {
			v, err := c.CKA()
			return v * math.Sqrt(d1*d2), err // as |K|_F^2 is d
		})
		c := gramPair(t, s.n, x, y)
		for _, k := range []int{1, 10} {
			near("mutual neighbours", c, float64(k)/(n-1), 0, func(c *GramPair) (float64, error) { return c.MutualNeighbours(k, CosineDistance) })
		}
		// tr K is d and |K|_F^2 is d + d^2/n for d independent dimensions, to leading order.
		order := func(d float64) float64 { return math.Sqrt(d / (1 + d/n)) }
		near("CKA", c, order(d1)*order(d2)/n, 0.02, (*GramPair).CKA)
		near("debiased CKA", c, 0, 0, (*GramPair).DebiasedCKA)
	}
}

// TestFalsePositives: of independent networks a p-value of 0.05 or less comes in 5 % of
// sets, and p-values are uniform, by every measure, though the raw ones are far from 0.
func TestFalsePositives(t *testing.T) {
	if testing.Short() {
		t.Skip("many sets")
	}
	const n, d1, d2, sets, draws = 48, 24, 40, 200, 19
	rnd := rand.New(rand.NewPCG(13, 2))
	counts := make(map[string][]int) // of p-values, times draws + 1
	for set := range sets {
		linear := gramPair(t, n, normal(rnd, n, d1), normal(rnd, n, d2))
		rbf, err := linear.RBF(0.4)
		if err != nil {
			t.Fatal(err)
		}
		linear.Threads, rbf.Threads = 1, 1
		for _, m := range []struct {
			name string
			pair *GramPair
			of   func(*GramPair) (float64, error)
		}{
			{"CKA", linear, (*GramPair).CKA}, {"debiased CKA", linear, (*GramPair).DebiasedCKA}, {"RBF CKA", rbf, (*GramPair).CKA},
			{"RSA", linear, func(c *GramPair) (float64, error) { return c.RSA(EuclideanDistance) }},
			{"neighbours", linear, func(c *GramPair) (float64, error) { return c.MutualNeighbours(5, CosineDistance) }},
		} {
			observed, err := m.of(m.pair)
			if err != nil {
				t.Fatal(err)
			}
			null, err := m.pair.PermutationNull(context.Background(), draws, uint64(set), m.of)
			if err != nil {
				t.Fatal(err)
			}
			if counts[m.name] == nil {
				counts[m.name] = make([]int, draws+2)
			}
			counts[m.name][int(math.Round(null.PValue(observed)*(draws+1)))]++
		}
	}
	for name, of := range counts {
		largest, below := 0.0, 0
		for k, count := range of {
			below += count
			largest = max(largest, float64(below)/sets-float64(k)/(draws+1)) // more small ones than there may be
			if name != "neighbours" {                                        // of which many draws are equal
				largest = max(largest, float64(k)/(draws+1)-float64(below)/sets)
			}
		}
		t.Logf("%s: %d of %d at 0.05, Kolmogorov-Smirnov %.3f", name, of[1], sets, largest)
		// 5 % of 200 is 10, give or take 3; 1.63/sqrt(n) is exceeded once in a hundred times.
		if of[1] > 20 || of[1] < 2 && name != "neighbours" || largest > 1.63/math.Sqrt(sets) {
			t.Errorf("%s: p is 0.05 in %d of %d sets, Kolmogorov-Smirnov %.3f", name, of[1], sets, largest)
		}
	}
}
