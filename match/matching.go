package match

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// Matching is an assignment of partners among columns to rows.
type Matching struct {
	Partner []int     // the column of each row; -1: none
	R       []float64 // the matrix's value at each row and its partner; 0: none
	Mean    float64   // of R over the rows that have a partner; 0 if none has

	// U and V are the dual variables of rows and columns, from Bipartite only:
	// see Verify.
	U, V []float64
}

// newMatching returns the matching of each row of c with its partner.
func newMatching(c mat.Matrix, partner []int) Matching {
	m := Matching{Partner: partner, R: make([]float64, len(partner))}
	for i, j := range partner {
		if j >= 0 {
			m.R[i] = c.At(i, j)
		}
	}
	m.Mean = meanOfPairs(partner, m.R)
	return m
}

// meanOfPairs returns the mean of r over the rows that have a partner; 0 if none has.
func meanOfPairs(partner []int, r []float64) float64 {
	var sum, pairs float64
	for i, j := range partner {
		if j >= 0 {
			sum += r[i]
			pairs++
		}
	}
	return sum / max(1, pairs)
}

// SemiMatching returns the matching of each row of c with the column of its largest value;
// of equal ones the first. Several rows may have the same partner (paper, section 3). A
// row of -Inf only, or without columns, has no partner. NaN, and values beyond ±1e300
// other than -Inf, are a *[ValueError] that names their place. It takes rows x columns
// steps.
//
// See also [Bipartite], [Mutual] and [SemiMatchingPasses].
func SemiMatching(c mat.Matrix) (Matching, error) {
	v := values(c)
	partner := make([]int, v.Rows)
	prices := make([]float64, v.Cols) // of columns
	for i := range partner {
		if err := check(v, i); err != nil {
			return Matching{}, err
		}
		partner[i] = assignment.TopTwo(v.Row(i), prices).Column1
	}
	return newMatching(c, partner), nil
}

// check returns an error that names the first value of row i that is out of range.
func check(v assignment.Matrix, i int) error {
	if err := v.Check(i); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	return nil
}

// limit bounds values, so that sums of them are finite.
const limit = assignment.Limit
