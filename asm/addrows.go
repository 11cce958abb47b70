package asm

// AddRows adds rows of a matrix, ldb apart, times a factor each:
//
//	y[j] += x[k] * b[k*ldb+j], one FMA a term, k rising
//
// for j < len(y) and k < len(x).
func (t Tier) AddRows(y, x, b []float32, ldb int) {
	if len(x) == 0 || len(y) == 0 {
		return
	}
	b = b[:(len(x)-1)*ldb+len(y)]
	n := t.kernelLen(len(y), 8)
	if n > 0 {
		addrows8(n, len(x), &y[0], &x[0], &b[0], ldb)
	}
	for k, factor := range x {
		row := b[k*ldb:][:len(y)]
		for j := n; j < len(y); j++ {
			y[j] = FMA(factor, row[j], y[j])
		}
	}
}
