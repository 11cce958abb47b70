package identification

import (
	"math"

	"github.com/convergent-go/convergent/internal/selection"
)

// medianRoot returns the median of the square roots of values that are not negative, which
// it reorders.
func medianRoot(x []float32) float64 {
	upper := selection.Nth(x, len(x)/2)
	if len(x)%2 == 1 {
		return math.Sqrt(float64(upper))
	}
	lower := x[0]
	for _, v := range x[:len(x)/2] {
		lower = max(lower, v)
	}
	return (math.Sqrt(float64(lower)) + math.Sqrt(float64(upper))) / 2
}
