package vec

import (
	"math"
	"testing"
)

// TestBlocks goes round the lengths that kernels are given at once.
func TestBlocks(t *testing.T) {
	for _, n := range []int{0, 1, blockLen - 1, blockLen, blockLen + 1, 3*blockLen + 7} {
		x, y, grad := make([]float32, n+1), make([]float32, n), make([]float32, n)
		for i := range y {
			x[i], y[i], grad[i] = float32(i%7)-3, float32(i%5)-2, 1
		}
		Add(x, y)
		ReLU(x[:n])
		ReLUGrad(grad, x[:n])
		for i := range y {
			want, wantGrad := float32(max(0, i%7-3+i%5-2)), float32(0)
			if want > 0 {
				wantGrad = 1
			}
			if x[i] != want || grad[i] != wantGrad {
				t.Fatalf("%d elements: element %d is %v and its gradient %v, want %v and %v", n, i, x[i], grad[i], want, wantGrad)
			}
		}
		sum := append([]float32(nil), y...)
		AddScaled(sum, 2, y)
		Scale(-1, sum)
		for i, v := range y {
			if sum[i] != -3*v {
				t.Fatalf("%d elements: element %d is %v, want %v", n, i, sum[i], -3*v)
			}
		}
		if x[n] != 0 {
			t.Fatal("an element beyond the last has changed")
		}
		for _, i := range []int{0, blockLen - 1, blockLen, n - 1} {
			if i < 0 || i >= n {
				continue
			}
			x[i] = float32(math.Inf(1))
			if Finite(x) {
				t.Errorf("%d elements: infinity at %d is not reported", n, i)
			}
			x[i] = 0
		}
		if !Finite(x) {
			t.Errorf("%d elements: not finite", n)
		}
	}
}
