package match

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// Matching gives rows partners among columns.
type Matching struct {
	Partner []int     // the column of each row; -1: none
	R       []float64 // the matrix's value at each row and its partner; 0: none
	Mean    float64   // of R over the rows that have a partner; 0 if none has

	// U and V are the dual variables of rows and columns, from Bipartite only:
	// see Verify.
	U, V []float64
}

// newMatching pairs each row of c with its partner.
func newMatching(c mat.Matrix, partner []int) Matching {
	m := Matching{Partner: partner, R: make([]float64, len(partner))}
	var sum, pairs float64
	for i, j := range partner {
		if j >= 0 {
			m.R[i] = c.At(i, j)
			sum += m.R[i]
			pairs++
		}
	}
	if pairs > 0 {
		m.Mean = sum / pairs
	}
	return m
}

// SemiMatching gives each row of c the column with its largest value; of equal
// ones the first. Columns may be used many times (paper, section 3). A row of
// -Inf only, or without columns, has no partner. NaN, and values beyond ±1e300
// other than -Inf, are an error that names their place.
func SemiMatching(c mat.Matrix) (Matching, error) {
	rows, cols := c.Dims()
	partner := make([]int, rows)
	line := make([]float64, cols)
	for i := range partner {
		if err := row(line, c, i); err != nil {
			return Matching{}, err
		}
		best, at := math.Inf(-1), -1
		for j, x := range line {
			if x > best {
				best, at = x, j
			}
		}
		partner[i] = at
	}
	return newMatching(c, partner), nil
}

// row copies row i of c, checked.
func row(dst []float64, c mat.Matrix, i int) error {
	if len(dst) == 0 {
		return nil
	}
	mat.Row(dst, i, c)
	return check(dst, i)
}

// check names the first value of row i that is none.
func check(row []float64, i int) error {
	if err := assignment.Check(row, i); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	return nil
}

// limit on values keeps sums of many of them finite.
const limit = assignment.Limit
