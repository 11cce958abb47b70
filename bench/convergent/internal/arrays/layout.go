package arrays

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Layout says what the indices of arrays of one rank are, by a letter for each.
type Layout string

const (
	ND    Layout = "nd"    // samples x units
	NTD   Layout = "ntd"   // samples x tokens x units
	NHWC  Layout = "nhwc"  // samples x height x width x units: TensorFlow, JAX
	NCHW  Layout = "nchw"  // samples x units x height x width: PyTorch
	NDHWC Layout = "ndhwc" // samples x depth x height x width x units
	NCDHW Layout = "ncdhw" // samples x units x depth x height x width
)

// readings are the layouts that arrays of each rank can have.
var readings = [][]Layout{2: {ND}, 3: {NTD}, 4: {NHWC, NCHW}, 5: {NDHWC, NCDHW}}

// unitsAt returns which index is that of the units.
func (l Layout) unitsAt() int {
	if l == NCHW || l == NCDHW {
		return 1
	}
	return len(l) - 1
}

// Layouts are those of a network's arrays, one for each rank at most. Rank 2 needs
// none; the others are never guessed.
type Layouts []Layout

// ParseLayouts reads the names of layouts, of either case and joined by commas, as
// in "ntd,nchw". It is an error if one is not known or two are of one rank.
func ParseLayouts(s string) (Layouts, error) {
	var layouts Layouts
	if s == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(s, ",") {
		l := Layout(strings.ToLower(strings.TrimSpace(name)))
		if !slices.Contains(slices.Concat(readings...), l) {
			return nil, fmt.Errorf("layout %q is not known; nd, ntd, nhwc, nchw, ndhwc and ncdhw are", name)
		}
		if other := layouts.of(len(l)); other != "" {
			return nil, fmt.Errorf("layouts %s and %s are both of rank %d; give one", other, l, len(l))
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}

// of returns the layout of arrays of a rank that is read, or "".
func (ls Layouts) of(rank int) Layout {
	for _, l := range readings[rank] {
		if slices.Contains(ls, l) {
			return l
		}
	}
	return ""
}

// layout returns the array's layout, which is an error unless it is known.
func (a *Array) layout(ls Layouts) (Layout, error) {
	rank := len(a.Shape)
	switch {
	case rank == 0:
		return "", a.errorf("shape %v has rank 0: one value is not samples x units", a.Shape)
	case rank == 1:
		return "", a.errorf("shape %v has rank 1: one value for each of %d samples is not samples x units; x[:, None] makes it so", a.Shape, a.Shape[0])
	case rank == 2:
		return ND, nil
	case rank >= len(readings):
		return "", a.errorf("shape %v has rank %d; ranks 2 to %d are read", a.Shape, rank, len(readings)-1)
	}
	if l := ls.of(rank); l != "" {
		return l, nil
	}
	lack, name, which := "-layout is needed", "it", "ntd (samples x tokens x units)"
	if len(ls) > 0 {
		lack = fmt.Sprintf("-layout %v is not enough", ls)
	}
	if a.Name != "" {
		name = strconv.Quote(a.Name) // escapes what a terminal might obey
		name = name[1 : len(name)-1]
	}
	if two := readings[rank]; len(two) > 1 {
		which = fmt.Sprintf("%s or %s", two[0], two[1])
	}
	return "", a.file.errorf("", "%s: is %s (%s) %s?", lack, name, times(a.Shape), which)
}

// String returns what ParseLayouts reads.
func (ls Layouts) String() string {
	var names []string
	for _, l := range ls {
		names = append(names, string(l))
	}
	return strings.Join(names, ",")
}

// times writes a shape as a product.
func times(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", " x ")
}
