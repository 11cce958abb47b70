package main

import "fmt"

// transpose emits kernels that transpose 8, 6 or 4 rows, 4 columns a step, by blocks of
// 4 x 4:
//
//	TRN1, TRN2 of rows 0, 1 and 2, 3       a0 b0 a2 b2 | a1 b1 a3 b3 | c0 d0 ..
//	TRN1, TRN2 of two such, by two floats  a0 b0 c0 d0 | a1 b1 c1 d1 | ..
//
// The last two of 6 rows are stored as pairs.
func transpose() {
	for _, rows := range []int{8, 6, 4} {
		k := newKernel(fmt.Sprintf("transpose%d", rows))
		dst, ld, src, stride, cols := k.load("dst"), k.bytes("ld", 2), k.load("src"), k.bytes("stride", 2), k.load("cols")
		at := gp()
		k.label("block")
		k.op("MOVD R%v, R%v", src, at)
		row := make([]*reg, rows)
		for i := range row {
			row[i] = k.ldNew(at, 0)
			if i < rows-1 {
				k.op("ADD R%v, R%v", stride, at)
			}
		}
		upper := k.transpose4x4(row[:4])
		var lower [4]*reg
		switch rows {
		case 8:
			lower = k.transpose4x4(row[4:])
		case 6:
			lo, hi := vec(), vec()
			k.op("VZIP1 V%v.S4, V%v.S4, V%v.S4", row[5], row[4], lo)
			k.op("VZIP2 V%v.S4, V%v.S4, V%v.S4", row[5], row[4], hi)
			lower = [4]*reg{lo, lo, hi, hi}
		}
		for j := range 4 {
			k.st(upper[j], dst, 0)
			switch {
			case rows == 8:
				k.st(lower[j], dst, 16)
			case rows == 6 && j%2 == 0:
				k.op("FMOVD F%v, 16(R%v)", lower[j], dst)
			case rows == 6:
				k.op("ADD $16, R%v, R%v", dst, at)
				k.op("VST1 V%v.D[1], (R%v)", lower[j], at)
			}
			k.op("ADD R%v, R%v", ld, dst)
		}
		k.move(16, src)
		k.countDown(cols, 4, "block")
		k.ret()
	}
}

func (k *kernel) transpose4x4(r []*reg) [4]*reg {
	pair := make([]*reg, 4)
	for i := range pair {
		pair[i] = vec()
		k.op(fmt.Sprintf("VTRN%d V%%v.S4, V%%v.S4, V%%v.S4", 1+i%2), r[i/2*2+1], r[i/2*2], pair[i])
	}
	var out [4]*reg
	for i := range out {
		out[i] = vec()
		k.op(fmt.Sprintf("VTRN%d V%%v.D2, V%%v.D2, V%%v.D2", 1+i/2), pair[2+i%2], pair[i%2], out[i])
	}
	return out
}
