package assignment

import "github.com/convergent-go/convergent/asm"

// Top2 is the largest and the second largest of a row's gains and their columns.
type Top2 = asm.Top2

// TopTwo finds the two largest gains of a row of values c at prices p: c[j] - p[j].
func TopTwo(c, p []float64) Top2 { return asm.Active().TopTwo(c, p) }

// ColumnMax raises maxima[j] to x[j], and sets argmax[j] to row where that raises it: of equals
// the earlier stays.
func ColumnMax(maxima []float64, argmax []int32, x []float64, row int32) {
	asm.Active().ColumnMax(maxima, argmax, x, row)
}
