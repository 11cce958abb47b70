//go:build arm64 || riscv64 || ppc64le || s390x || loong64

package asm

// FMA returns x*y + z rounded once: one instruction, into which the compiler fuses the two
// operations on these architectures. The conversion keeps it from fusing what z may be
// instead.
func FMA(x, y, z float32) float32 { return x*y + float32(z) }

// addTerms4x4 adds n terms to 4 x 4 sums, one FMA each, k rising:
//
//	s[4*i+j] += a[i*row+k*col] * b[k*stride+j]
func addTerms4x4(s *[16]float32, n int, a []float32, row, col int, b []float32, stride int) {
	a0, a1, a2, a3 := a, a[row:], a[2*row:], a[3*row:]
	s00, s01, s02, s03 := s[0], s[1], s[2], s[3]
	s10, s11, s12, s13 := s[4], s[5], s[6], s[7]
	s20, s21, s22, s23 := s[8], s[9], s[10], s[11]
	s30, s31, s32, s33 := s[12], s[13], s[14], s[15]
	at := 0
	for k := range n {
		y := (*[4]float32)(b[k*stride:])
		x := a0[at]
		s00, s01, s02, s03 = FMA(x, y[0], s00), FMA(x, y[1], s01), FMA(x, y[2], s02), FMA(x, y[3], s03)
		x = a1[at]
		s10, s11, s12, s13 = FMA(x, y[0], s10), FMA(x, y[1], s11), FMA(x, y[2], s12), FMA(x, y[3], s13)
		x = a2[at]
		s20, s21, s22, s23 = FMA(x, y[0], s20), FMA(x, y[1], s21), FMA(x, y[2], s22), FMA(x, y[3], s23)
		x = a3[at]
		s30, s31, s32, s33 = FMA(x, y[0], s30), FMA(x, y[1], s31), FMA(x, y[2], s32), FMA(x, y[3], s33)
		at += col
	}
	*s = [16]float32{s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33}
}
