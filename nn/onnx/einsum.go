package onnx

import (
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/level3"
)

// labelled is a tensor whose axes have letters; those of an ellipsis are upper-case, from
// the last on.
type labelled struct {
	*Tensor
	axes string
}

// letters are what equations call axes, in alphabetical order.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// buildEinsum returns the kernel of Einsum: operands are multiplied two at a time, as
// matrix products of what they do not share, for each of what they and the result share.
func buildEinsum(a *attributes) kernel {
	equation := strings.ReplaceAll(a.string("equation", ""), " ", "")
	terms, result, explicit := strings.Cut(equation, "->")
	operands := strings.Split(terms, ",")
	if len(operands) != a.inputs {
		failf("attribute equation %q has %d operands, the node %d", equation, len(operands), a.inputs)
	}
	for _, t := range append(slices.Clone(operands), result) {
		for _, r := range strings.Replace(t, "...", "", 1) {
			if !strings.ContainsRune(letters, r) {
				failf("attribute equation %q has letter %q", equation, r)
			}
		}
	}
	return func(c *call) []*Tensor {
		sizes, ellipsis := make(map[rune]int), ""
		var in []labelled
		for i, t := range operands {
			c.floats(i)
			axes := t
			if strings.Contains(t, "...") {
				n := len(c.in[i].Shape) - (len(t) - 3)
				if n < 0 || n > 26 {
					failf("shape %v for operand %q", c.in[i].Shape, t)
				}
				own := "0123456789!#$%&()*+-:;<=>?"[26-n:] // which equations do not have
				if len(own) > len(ellipsis) {
					ellipsis = own
				}
				axes = strings.Replace(t, "...", own, 1)
			}
			if len(axes) != len(c.in[i].Shape) {
				failf("shape %v for operand %q", c.in[i].Shape, t)
			}
			for j, r := range axes {
				d := c.in[i].Shape[j]
				if known, ok := sizes[r]; ok && known != d && known != 1 && d != 1 {
					failf("axis %q has sizes %d and %d", r, known, d)
				} else if !ok || known == 1 {
					sizes[r] = d
				}
			}
			in = append(in, labelled{c.in[i], axes})
		}
		out := strings.Replace(result, "...", ellipsis, 1)
		if !explicit { // what occurs once, in alphabetical order
			out = ellipsis
			all := strings.Join(operands, "")
			for _, r := range letters {
				if strings.Count(all, string(r)) == 1 {
					out += string(r)
				}
			}
		}
		for i, r := range out {
			if _, ok := sizes[r]; !ok || strings.ContainsRune(out[:i], r) {
				failf("attribute equation %q: axis %q of the result", equation, r)
			}
		}
		x := in[0]
		if len(in) == 1 {
			x = c.diagonal(x, sizes)
		}
		for i := 1; i < len(in); i++ {
			later := out
			for _, o := range in[i+1:] {
				later += o.axes
			}
			x = c.contract(c.diagonal(x, sizes), c.diagonal(in[i], sizes), later)
		}
		// What the result does not have is summed.
		x = c.summed(x, out)
		return []*Tensor{c.ordered(x, out, sizes).Tensor}
	}
}

// diagonal makes one axis of those with the same letter, and broadcasts axes of size 1.
func (c *call) diagonal(x labelled, sizes map[rune]int) labelled {
	var letters string
	var shape, from []int
	s := x.Tensor.strides()
	for i, r := range x.axes {
		step := s[i]
		if x.Shape[i] == 1 {
			step = 0
		}
		if at := strings.IndexRune(letters, r); at >= 0 {
			from[at] += step
			continue
		}
		letters += string(r)
		shape, from = append(shape, sizes[r]), append(from, step)
	}
	return labelled{c.transposed(x.Tensor, shape, from), letters}
}

// summed sums the axes that are not among those kept.
func (c *call) summed(x labelled, kept string) labelled {
	var over []int
	letters := ""
	for i, r := range x.axes {
		if strings.ContainsRune(kept, r) {
			letters += string(r)
		} else {
			over = append(over, i)
		}
	}
	if over == nil {
		return x
	}
	return labelled{c.reduced(sumOf, c.plain(x.Tensor), over, false), letters}
}

// ordered returns x with its axes in the given order, of which those that it lacks are
// broadcast.
func (c *call) ordered(x labelled, order string, sizes map[rune]int) labelled {
	s := x.Tensor.strides()
	var shape, from []int
	for _, r := range order {
		at := strings.IndexRune(x.axes, r)
		if at < 0 {
			shape, from = append(shape, sizes[r]), append(from, 0)
			continue
		}
		shape, from = append(shape, x.Shape[at]), append(from, s[at])
	}
	return labelled{c.plain(c.transposed(x.Tensor, shape, from)), order}
}

// contract multiplies two tensors and sums the axes that nobody needs later.
func (c *call) contract(a, b labelled, later string) labelled {
	a, b = c.summed(a, b.axes+later), c.summed(b, a.axes+later)
	var batch, rows, cols, terms string
	sizes := make(map[rune]int)
	for i, r := range a.axes {
		sizes[r] = a.Shape[i]
		switch {
		case !strings.ContainsRune(b.axes, r):
			rows += string(r)
		case strings.ContainsRune(later, r):
			batch += string(r)
		default:
			terms += string(r)
		}
	}
	for i, r := range b.axes {
		sizes[r] = b.Shape[i]
		if !strings.ContainsRune(a.axes, r) {
			cols += string(r)
		}
	}
	size := func(letters string) int {
		n := 1
		for _, r := range letters {
			n *= sizes[r]
		}
		return n
	}
	x, z := c.ordered(a, batch+rows+terms, sizes), c.ordered(b, batch+cols+terms, sizes)
	n, m, p, k := size(batch), size(rows), size(cols), size(terms)
	var shape []int
	for _, r := range batch + rows + cols {
		shape = append(shape, sizes[r])
	}
	y, d := c.newFloats(shape)
	if len(d) > 0 {
		c.products(n, func(i int) level3.Product {
			return level3.Product{M: m, N: p, K: k, LDC: p,
				A: level3.Rows{Data: x.Data.([]float32)[i*m*k:], Stride: k},
				B: level3.Rows{Data: z.Data.([]float32)[i*p*k:], Stride: k}, C: d[i*m*p:][:m*p]}
		})
	}
	return labelled{y, batch + rows + cols}
}
