package asm

// Panel packs n rows of r elements of src, whose rows lie stride apart, one after
// another:
//
//	dst[k*r+i] = src[k*stride+i]
//
// for k < n and i < r.
func (t Tier) Panel(n, r int, dst, src []float32, stride int) {
	if n == 0 || r == 0 {
		return
	}
	_, _ = dst[n*r-1], src[(n-1)*stride+r-1]
	if tiers[t].lanes > 0 {
		switch r {
		case 6:
			panel6(n, &dst[0], &src[0], stride)
			return
		case 12:
			panel12(n, &dst[0], &src[0], stride)
			return
		case 16:
			panel16(n, &dst[0], &src[0], stride)
			return
		case 32:
			panel32(n, &dst[0], &src[0], stride)
			return
		}
	}
	panelPortable(n, r, dst, src, stride)
}

func panelPortable(n, r int, dst, src []float32, stride int) {
	for k := range n {
		copy(dst[k*r:][:r], src[k*stride:])
	}
}
