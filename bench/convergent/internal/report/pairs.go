package report

import (
	"fmt"
	"image"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// How many pairs there are at either end, and patches of a unit, of so many points each.
const (
	pairRows    = 8
	pairPatches = 4
	patchPoints = 26
	patchGap    = 2
	pairHead    = 38 // what stands above them
)

// drawPairs is no drawing where no images are known.
func drawPairs(c *contents, i int) drawing {
	l, d := c.layers[i], c.Layers[i]
	if d.Patches == nil {
		return drawing{}
	}
	pair := l.Pairs[0]
	units, partners := matchedOrder(pair.Bipartite)
	filters := c.filters(i)
	count := min(pairRows, (len(units)+1)/2)
	const columns = pairPatches + 1
	rowWidth := vg.Length(52 + 2*columns*(patchPoints+patchGap) + 16)
	// head names what stands in the columns of rows of pairs, above them.
	head := func(canvas draw.Canvas, title string) {
		label(canvas, title, canvas.Min.X+2, canvas.Max.Y-6, 10, text.XLeft)
		label(canvas, "r", canvas.Min.X+2, canvas.Min.Y+6, 8, text.XLeft)
		x := canvas.Min.X + 40
		for _, net := range []int{pair.A, pair.B} {
			const side = columns * (patchPoints + patchGap)
			label(canvas, fit(c.place(l, net), 9, side), x, canvas.Min.Y+17, 9, text.XLeft)
			if filters != nil {
				label(canvas, "filter", x, canvas.Min.Y+6, 8, text.XLeft)
			}
			label(canvas, "image patches", x+patchPoints+patchGap, canvas.Min.Y+6, 8, text.XLeft)
			x += side + 12
		}
	}
	// row draws one matched pair: the first unit's filter and patches, then its
	// partner's.
	row := func(canvas draw.Canvas, k int) {
		label(canvas, decimals(3, pair.Bipartite.R[units[k]]), canvas.Min.X+2, canvas.Min.Y+patchPoints/2, 9, text.XLeft)
		x := vg.Length(40)
		for side, unit := range []int{units[k], partners[k]} {
			net := []int{pair.A, pair.B}[side]
			if filters != nil {
				canvas.DrawImage(box(canvas, x, 0, patchPoints, patchPoints).Rectangle, thumbnail(filters[net][unit]))
			}
			for n, patch := range d.Patches[net][unit] {
				if n < pairPatches {
					canvas.DrawImage(box(canvas, x+vg.Length(n+1)*(patchPoints+patchGap), 0, patchPoints, patchPoints).Rectangle, thumbnail(patch.Image))
				}
			}
			x += columns*(patchPoints+patchGap) + 12
		}
	}
	pictures := "their most activating image patches"
	if filters != nil {
		pictures = "their filters and most activating image patches"
	}
	return drawing{
		name: "pairs_" + l.Name, width: 2*rowWidth + 20, height: vg.Length(max(count, 1))*(patchPoints+patchGap) + pairHead + 6,
		caption: fmt.Sprintf("The %d best (left) and %d worst (right) pairs of the one-to-one matching, with their correlation and %s: the unit of %s, then that of %s.",
			count, count, pictures, c.place(l, pair.A), c.place(l, pair.B)),
		paper: "In the paper the best pairs of conv1 are near copies of each other, oriented edges and colour blobs; the worst have nothing in common.",
		draw: func(canvas draw.Canvas) {
			top := canvas.Max.Y - canvas.Min.Y - pairHead
			head(box(canvas, 6, top, rowWidth, pairHead), "best pairs")
			head(box(canvas, rowWidth+16, top, rowWidth, pairHead), "worst pairs")
			for k := range count {
				y := top - vg.Length(k+1)*(patchPoints+patchGap)
				row(box(canvas, 6, y, rowWidth, patchPoints), k)
				row(box(canvas, rowWidth+16, y, rowWidth, patchPoints), len(units)-1-k)
			}
		},
	}
}

// filters are those of the units of a layer, by network; nil if they are not known.
func (c *contents) filters(i int) [][]image.Image {
	if i > 0 || len(c.Filters) == 0 {
		return nil
	}
	for n, filters := range c.Filters {
		if len(filters) != c.layers[i].Units[n] {
			return nil // of another layer
		}
	}
	return c.Filters
}

// thumbnail brings a small image to some pixels more than it is shown in, by repeating
// pixels, so that viewers do not blur it; and a large one to fewer.
func thumbnail(src image.Image) image.Image {
	size := src.Bounds().Dx()
	if size > patchPoints {
		dst := image.NewRGBA(image.Rect(0, 0, patchPoints, patchPoints))
		xdraw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), xdraw.Src, nil)
		return dst
	}
	times := max(1, 40/size)
	dst := image.NewRGBA(image.Rect(0, 0, size*times, size*times))
	xdraw.NearestNeighbor.Scale(dst, dst.Bounds(), src, src.Bounds(), xdraw.Src, nil)
	return dst
}
