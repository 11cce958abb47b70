//go:build !(arm64 || riscv64 || ppc64le || s390x || loong64)

package asm

// FMA returns x*y + z rounded once.
func FMA(x, y, z float32) float32 { return emulatedFMA(x, y, z) }

// addTerms4x4 adds n terms to 4 x 4 sums, one FMA each, k rising:
//
//	s[4*i+j] += a[i*row+k*col] * b[k*stride+j]
//
// Two sums are emulated at a time, which seldom need more than the sums in float64.
func addTerms4x4(s *[16]float32, n int, a []float32, row, col int, b []float32, stride int) {
	for i := range 4 {
		ai := a[i*row:]
		for j := 0; j < 4; j += 2 {
			s0, s1 := s[4*i+j], s[4*i+j+1]
			at := 0
			for k := range n {
				y := (*[2]float32)(b[k*stride+j:])
				x := float64(ai[at])
				p0, p1 := float64(x*float64(y[0])), float64(x*float64(y[1]))
				t0, t1 := p0+float64(s0), p1+float64(s1)
				if roundsTwice(t0) {
					t0 = roundToOdd(p0, float64(s0))
				}
				if roundsTwice(t1) {
					t1 = roundToOdd(p1, float64(s1))
				}
				s0, s1 = float32(t0), float32(t1)
				at += col
			}
			s[4*i+j], s[4*i+j+1] = s0, s1
		}
	}
}
