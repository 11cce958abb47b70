package finding

import (
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
)

// matrix returns a matrix of any content for correlations that are drawn again and again, and what
// gives its memory back.
func matrix(rows, cols int) (m *mat.Dense, release func()) {
	data := dense.Scratch(rows * cols)
	return mat.NewDense(rows, cols, *data), func() { dense.Release(data) }
}
