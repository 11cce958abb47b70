package corr

// Flatten returns the tensor with a sample's positions as further units, so that each
// sample is one row of positions times units, in the order of memory. It shares memory
// with t.
func (t Tensor) Flatten() Tensor {
	return Tensor{t.data, t.samples, 1, t.positions * t.units, t.sampleStride, 0, 1}
}

// Pool returns the means over each sample's positions, which are summed in float64: one
// row a sample, of t's units.
func (t Tensor) Pool() Tensor {
	data, sums := make([]float32, 0, t.samples*t.units), make([]float64, t.units)
	for s := range t.samples {
		clear(sums)
		for p := range t.positions {
			row := t.data[s*t.sampleStride+p*t.positionStride:]
			for u := range sums {
				sums[u] += float64(row[u*t.unitStride])
			}
		}
		for _, sum := range sums {
			data = append(data, float32(sum/float64(t.positions)))
		}
	}
	return Rows(data, t.samples, t.units, t.units)
}
