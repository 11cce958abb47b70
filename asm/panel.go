package asm

// Panel packs n rows of r elements of src, whose rows lie stride apart, one after
// another, with shift taken from each column:
//
//	dst[k*r+i] = src[k*stride+i] - shift[i]
//
// for k < n and i < r.
func (t Tier) Panel(n, r int, dst, src []float32, stride int, shift []float32) {
	if n == 0 || r == 0 {
		return
	}
	_, _, _ = dst[n*r-1], src[(n-1)*stride+r-1], shift[r-1]
	if t >= AVX2 {
		switch r {
		case 6:
			panel6(n, &dst[0], &src[0], stride, &shift[0])
			return
		case 12:
			panel12(n, &dst[0], &src[0], stride, &shift[0])
			return
		case 16:
			panel16(n, &dst[0], &src[0], stride, &shift[0])
			return
		case 32:
			panel32(n, &dst[0], &src[0], stride, &shift[0])
			return
		}
	}
	panelPortable(n, r, dst, src, stride, shift)
}

func panelPortable(n, r int, dst, src []float32, stride int, shift []float32) {
	for k := range n {
		from, to := src[k*stride:][:r], dst[k*r:][:r]
		for i, v := range from {
			to[i] = v - shift[i]
		}
	}
}
