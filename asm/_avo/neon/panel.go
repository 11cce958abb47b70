package main

import "fmt"

// panel emits kernels that pack a panel: so many elements from each row of a matrix, by
// fours and twos, so that nothing beyond is touched.
func panel() {
	for _, r := range []int{6, 12, 16, 32} {
		k := newKernel(fmt.Sprintf("panel%d", r))
		n, dst, src, stride := k.load("n"), k.load("dst"), k.load("src"), k.bytes("stride", 2)
		k.label("row")
		for i := 0; i < r; i += 4 {
			v := vec()
			if r-i >= 4 {
				k.ld(v, src, 4*i)
				k.st(v, dst, 4*i)
			} else {
				k.op("FMOVD %d(R%v), F%v", 4*i, src, v)
				k.op("FMOVD F%v, %d(R%v)", v, 4*i, dst)
			}
		}
		k.op("ADD R%v, R%v", stride, src)
		k.move(4*r, dst)
		k.countDown(n, 1, "row")
		k.ret()
	}
}
