package natural

import (
	"fmt"
	"strings"
)

// Count is a number of what a noun calls one of: 1 layer, 2 layers, 2 batches.
func Count[N int | int64](n N, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "ch"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}
