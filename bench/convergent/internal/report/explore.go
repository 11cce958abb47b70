package report

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strconv"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// networkData is what the page's script calls a network.
type networkData struct {
	Name  string `json:"name"`
	Short string `json:"short"`
}

// layerData is what the page's script knows of a layer: correlations, partners, tree and
// pictures.
type layerData struct {
	Name          string      `json:"name"`
	Short         string      `json:"short"`
	NetworkLayers []string    `json:"networkLayers,omitempty"` // if they differ from the name
	Units         []int       `json:"units"`
	UnitNames     [][]string  `json:"unitNames,omitempty"`
	R             string      `json:"r"` // upper triangle of the correlations of all units, int16 of 1/32767, little-endian, base64
	Pairs         []partners  `json:"pairs"`
	Recurrence    [][]int     `json:"recurrence,omitempty"` // in how many other networks
	Others        int         `json:"others"`               // how many other networks there are
	Means         [][]float64 `json:"means"`
	Patches       []sheet     `json:"patches,omitempty"` // of each network
	Filters       []sheet     `json:"filters,omitempty"`
	Order         []int       `json:"order"`  // of the tree's leaves
	Merges        [][]float64 `json:"merges"` // a, b, height
}

// partners are those of A's units in B; -1: none.
type partners struct {
	A    int   `json:"a"`
	B    int   `json:"b"`
	Semi []int `json:"semi"`
	One  []int `json:"one"`
}

// sheet is pictures of units: a row for each, of one or more squares.
type sheet struct {
	URL  string `json:"url"`
	Size int    `json:"size"` // of a square, in pixels
	Each int    `json:"each"` // squares of a unit
}

// What the page can hold: the units of so many networks, so many at a layer, and so many pairs of
// units at all layers, each of which takes some three bytes.
const (
	explorerNetworks = 4
	explorerUnits    = 1200
	explorerPairs    = 1 << 21
)

// explored is how many networks can be explored, the first.
func (c *contents) explored() int { return min(len(c.networks), explorerNetworks) }

func (c *contents) networkData() []networkData {
	var all []networkData
	for _, n := range c.networks[:c.explored()] {
		all = append(all, networkData{n.Full, n.Short})
	}
	return all
}

// explorable says whether the page can hold the units of a layer: each that it can after those
// before it.
func (c *contents) explorable(i int) (fits bool) {
	pairs := 0
	for at := range i + 1 {
		units := c.exploredUnits(at)
		own := units * (units - 1) / 2
		if fits = units <= explorerUnits && pairs+own <= explorerPairs; fits {
			pairs += own
		}
	}
	return fits
}

// layerData collects what the page's script needs of a layer; nil if there are too many
// units for a page, or what is within networks is not known.
func (c *contents) layerData(i int) (*layerData, error) {
	l, d := c.layers[i], c.Layers[i]
	units := c.exploredUnits(i)
	if !c.explorable(i) || d.Correlation == nil {
		return nil, nil
	}
	k := c.explored()
	e := &layerData{Name: l.Name, Short: l.Title.Short, Units: l.Units[:k], R: upperTriangle(d.Correlation, units), Others: len(l.Units) - 1, Means: make([][]float64, k), Order: d.Tree.Order()}
	if !l.uniform() {
		for n := range k {
			e.NetworkLayers = append(e.NetworkLayers, networkLayer(l.Layer, n))
		}
	}
	for n, means := range d.Means[:k] {
		for _, m := range means {
			e.Means[n] = append(e.Means[n], float64(float32(m)))
		}
	}
	if slices.ContainsFunc(l.UnitNames, func(names []string) bool { return names != nil }) {
		e.UnitNames = l.UnitNames[:k]
	}
	for _, p := range l.Pairs {
		if p.B >= k {
			continue
		}
		e.Pairs = append(e.Pairs, partners{A: p.A, B: p.B, Semi: p.Semi.Partner, One: p.Bipartite.Partner})
	}
	if l.Convergence != nil {
		e.Recurrence = l.Convergence.Recurrence[:k]
	}
	for _, m := range d.Tree.Merges {
		if m.Height <= 0 {
			break // what is left has nothing in common
		}
		e.Merges = append(e.Merges, []float64{float64(m.A), float64(m.B), significant(m.Height)})
	}
	for _, patches := range d.Patches[:min(k, len(d.Patches))] {
		s, err := patchSheet(patches)
		if err != nil {
			return nil, err
		}
		e.Patches = append(e.Patches, s)
	}
	filters := c.filters(i)
	for _, filters := range filters[:min(k, len(filters))] {
		s, err := filterSheet(filters)
		if err != nil {
			return nil, err
		}
		e.Filters = append(e.Filters, s)
	}
	return e, nil
}

// significant rounds a number to four digits.
func significant(x float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		panic("report: a number is not read as it is written")
	}
	return rounded
}

// upperTriangle encodes correlations of the first n units as the page's script reads them.
func upperTriangle(r *mat.Dense, n int) string {
	b := make([]byte, 0, n*(n+1))
	for x := range n {
		for y := x; y < n; y++ {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(32767*r.At(x, y)))))
		}
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Of each unit the page shows so many patches, of so many pixels at most; of few pixels
// each is worth its bits.
const (
	sheetPatches = 4
	sheetSize    = 24
	exactSize    = 12
)

func patchSheet(units [][]results.Patch) (sheet, error) {
	s := sheet{Size: 1, Each: sheetPatches}
	for _, patches := range units {
		for _, p := range patches {
			s.Size = min(p.Image.Bounds().Dx(), sheetSize)
		}
	}
	all := image.NewRGBA(image.Rect(0, 0, s.Each*s.Size, len(units)*s.Size))
	draw.Draw(all, all.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	for u, patches := range units {
		for k, p := range patches[:min(len(patches), s.Each)] {
			cell := image.Rect(k*s.Size, u*s.Size, (k+1)*s.Size, (u+1)*s.Size)
			xdraw.CatmullRom.Scale(all, cell, p.Image, p.Image.Bounds(), draw.Src, nil)
		}
	}
	var err error
	s.URL, err = picture(all, s.Size <= exactSize)
	return s, err
}

func filterSheet(filters []image.Image) (sheet, error) {
	s := sheet{Size: filters[0].Bounds().Dx(), Each: 1}
	all := image.NewRGBA(image.Rect(0, 0, s.Size, len(filters)*s.Size))
	for u, f := range filters {
		draw.Draw(all, image.Rect(0, u*s.Size, s.Size, (u+1)*s.Size), f, f.Bounds().Min, draw.Src)
	}
	var err error
	s.URL, err = picture(all, true)
	return s, err
}

// picture encodes an image for the page: exactly, or as a photograph.
func picture(img image.Image, exact bool) (string, error) {
	var buf bytes.Buffer
	kind, err := "png", error(nil)
	if exact {
		err = png.Encode(&buf, img)
	} else {
		kind, err = "jpeg", jpeg.Encode(&buf, img, &jpeg.Options{Quality: 64})
	}
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(buf.Bytes()), err
}
