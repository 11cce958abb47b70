package asm

// Transpose writes the transpose of rows x cols elements of src, whose rows lie
// stride apart, into dst, whose rows (one for each column of src) lie ld apart:
//
//	dst[j*ld+i] = src[i*stride+j]
//
// for i < rows and j < cols; nothing else of dst is touched. ld is at least
// rows. It is how a panel is packed from rows that are contiguous in k.
func (t Tier) Transpose(dst []float32, ld int, src []float32, stride, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	_, _ = dst[(cols-1)*ld+rows-1], src[(rows-1)*stride+cols-1]
	i := 0
	if n := cols &^ 7; tiers[t].lanes > 0 && n > 0 {
		for ; i+8 <= rows; i += 8 {
			transpose8(&dst[i], ld, &src[i*stride], stride, n)
		}
		if i+6 <= rows {
			transpose6(&dst[i], ld, &src[i*stride], stride, n)
			i += 6
		} else if i+4 <= rows {
			transpose4(&dst[i], ld, &src[i*stride], stride, n)
			i += 4
		}
		if n < cols {
			transposePortable(dst[n*ld:], ld, src[n:], stride, i, cols-n)
		}
	}
	if i < rows {
		transposePortable(dst[i:], ld, src[i*stride:], stride, rows-i, cols)
	}
}

func transposePortable(dst []float32, ld int, src []float32, stride, rows, cols int) {
	for i := range rows {
		for j := range cols {
			dst[j*ld+i] = src[i*stride+j]
		}
	}
}
