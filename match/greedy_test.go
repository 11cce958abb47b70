package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestGreedy compares with the largest remaining value looked for each time.
func TestGreedy(t *testing.T) {
	for levels := range 6 {
		for _, s := range [][2]int{{1, 1}, {1, 7}, {7, 1}, {9, 9}, {20, 33}, {33, 20}} {
			c := levelMatrix(s[0], s[1], 3*levels+2)
			m, err := Greedy(c)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]int, s[0])
			for i := range want {
				want[i] = -1
			}
			used := make([]bool, s[1])
			for {
				best, row, col := forbidden, -1, -1
				for i, partner := range want {
					for j := range used {
						if x := c.At(i, j); partner < 0 && !used[j] && x > best {
							best, row, col = x, i, j
						}
					}
				}
				if row < 0 {
					break
				}
				want[row], used[col] = col, true
			}
			if !slices.Equal(m.Partner, want) {
				t.Errorf("%v: %v, want %v", s, m.Partner, want)
			}
		}
	}
	for _, s := range []zeroMatrix{{0, 0}, {0, 3}, {3, 0}} {
		if m, err := Greedy(s); err != nil || len(m.Partner) != s.rows {
			t.Errorf("%v: %+v, %v", s, m, err)
		}
	}
}

// levelMatrix has random values from 1 to below levels, and forbidden ones for 0.
func levelMatrix(rows, cols, levels int) *mat.Dense {
	return randomMatrix(rows, cols, func(rnd *rand.Rand, _, _ int) float64 {
		if x := rnd.IntN(levels); x > 0 {
			return float64(x)
		}
		return forbidden
	})
}

// TestMutual counts, for each pair, the larger values of its row and of its column.
func TestMutual(t *testing.T) {
	for levels := range 5 {
		for _, s := range [][2]int{{1, 1}, {1, 7}, {7, 1}, {9, 9}, {12, 20}, {20, 12}} {
			c := levelMatrix(s[0], s[1], 10*levels+2)
			for _, n := range []int{1, 2, 5, 100} {
				var want []MatchedPair
				for i := range s[0] {
					for j := range s[1] {
						x, inRow, inCol := c.At(i, j), 0, 0
						for k := range s[1] {
							if y := c.At(i, k); y > x || y == x && k < j {
								inRow++
							}
						}
						for k := range s[0] {
							if y := c.At(k, j); y > x || y == x && k < i {
								inCol++
							}
						}
						if inRow < n && inCol < n && !math.IsInf(x, -1) {
							want = append(want, MatchedPair{i, j, x})
						}
					}
				}
				if got, err := Mutual(c, n); err != nil || !slices.Equal(got, want) {
					t.Errorf("%v, rank %d: %v, want %v; error %v", s, n, got, want, err)
				}
			}
		}
	}
	defer func() {
		if fmt.Sprint(recover()) != badRank {
			t.Error("rank 0 does not panic")
		}
	}()
	Mutual(zeroMatrix{2, 2}, 0)
}
