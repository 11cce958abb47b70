package asm

// Affine maps of columns and their gradients are what normalisation is made of. Rows of
// len(scale) columns follow each other in memory. Each method has as its definition the
// loop at its end, which is also what does the last columns, fewer than 8, in every tier.

// columnBlocks calls f for blocks of 16 and 8 of c columns that the tier's kernels do, and
// returns how many columns are done.
func (t Tier) columnBlocks(c int, f func(i, width int)) int {
	end := t.kernelLen(c, 8)
	for i := 0; i < end; {
		width := 16
		if end-i < width {
			width = 8
		}
		f(i, width)
		i += width
	}
	return end
}

// Affine is y = scale*x + shift in each of the rows of x, each product and sum rounded.
func (t Tier) Affine(y, x, scale, shift []float32) {
	c := len(scale)
	if len(x) == 0 {
		return
	}
	rows := rowCount(len(x), c)
	y, shift = y[:len(x)], shift[:c]
	done := t.columnBlocks(c, func(i, width int) {
		if width == 16 {
			affine16(rows, c, &y[i], &x[i], &scale[i], &shift[i])
		} else {
			affine8(rows, c, &y[i], &x[i], &scale[i], &shift[i])
		}
	})
	for i := done; i < c; i++ {
		for k := i; k < len(x); k += c {
			y[k] = float32(scale[i]*x[k]) + shift[i]
		}
	}
}

// AffineSum is dx = scale*dy + (slope*x + shift) in each of the rows of x, each product and
// sum rounded.
func (t Tier) AffineSum(dx, dy, x, scale, slope, shift []float32) {
	c := len(scale)
	if len(x) == 0 {
		return
	}
	rows := rowCount(len(x), c)
	dx, dy, slope, shift = dx[:len(x)], dy[:len(x)], slope[:c], shift[:c]
	done := t.columnBlocks(c, func(i, width int) {
		if width == 16 {
			affinesum16(rows, c, &dx[i], &dy[i], &x[i], &scale[i], &slope[i], &shift[i])
		} else {
			affinesum8(rows, c, &dx[i], &dy[i], &x[i], &scale[i], &slope[i], &shift[i])
		}
	})
	for i := done; i < c; i++ {
		for k := i; k < len(x); k += c {
			dx[k] = float32(scale[i]*dy[k]) + (float32(slope[i]*x[k]) + shift[i])
		}
	}
}

// ColumnSums adds the rows of a to sum, and their products with those of b to products, in
// the order of the rows. A product is exact in float64.
func (t Tier) ColumnSums(sum, products []float64, a, b []float32) {
	c := len(sum)
	if len(a) == 0 {
		return
	}
	rows := rowCount(len(a), c)
	products, b = products[:c], b[:len(a)]
	done := t.columnBlocks(c, func(i, width int) {
		if width == 16 {
			columnsums16(rows, c, &sum[i], &products[i], &a[i], &b[i])
		} else {
			columnsums8(rows, c, &sum[i], &products[i], &a[i], &b[i])
		}
	})
	for i := done; i < c; i++ {
		s, p := sum[i], products[i]
		for k := i; k < len(a); k += c {
			s += float64(a[k])
			p += float64(float64(a[k]) * float64(b[k]))
		}
		sum[i], products[i] = s, p
	}
}

// rowCount is how many rows of c columns there are in n elements.
func rowCount(n, c int) int {
	if c == 0 || n%c != 0 {
		panic("asm: elements are not whole rows")
	}
	return n / c
}
