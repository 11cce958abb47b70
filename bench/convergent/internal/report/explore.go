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

	xdraw "golang.org/x/image/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
)

// explored is what the page's script knows: a layer's correlations, partners, tree and
// pictures.
type explored struct {
	Name    string      `json:"name"`
	Units   []int       `json:"units"`
	Names   [][]string  `json:"names,omitempty"`
	R       string      `json:"r"` // upper triangle of the correlations of all units, int16 of 1/32767, little-endian, base64
	Pairs   []partners  `json:"pairs"`
	Found   [][]int     `json:"found,omitempty"` // in how many other networks
	Means   [][]float64 `json:"means"`
	Patches []sheet     `json:"patches,omitempty"` // of each network
	Filters []sheet     `json:"filters,omitempty"`
	Order   []int       `json:"order"`  // of the tree's leaves
	Merges  [][]float64 `json:"merges"` // a, b, height
}

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

// mostExplored is how many units of a layer the page can hold.
const mostExplored = 1200

// explore collects what the page's script needs of a layer; nil if there are too many
// units for a page.
func explore(a *study.Artifacts, i int) (*explored, error) {
	l, d := a.Results.Layers[i], a.Layers[i]
	n, _ := d.Correlation.Dims()
	if n > mostExplored {
		return nil, nil
	}
	e := &explored{Name: l.Name, Units: l.Units, Means: make([][]float64, len(d.Means)), Order: d.Tree.Order()}
	for net, means := range d.Means {
		for _, m := range means {
			e.Means[net] = append(e.Means[net], float64(float32(m)))
		}
	}
	for _, names := range l.UnitNames {
		if names != nil {
			e.Names = l.UnitNames
		}
	}
	r := make([]byte, 0, n*(n+1))
	for x := range n {
		for y := x; y < n; y++ {
			r = binary.LittleEndian.AppendUint16(r, uint16(int16(math.Round(32767*d.Correlation.At(x, y)))))
		}
	}
	e.R = base64.StdEncoding.EncodeToString(r)
	for _, p := range l.Pairs {
		e.Pairs = append(e.Pairs, partners{A: p.A, B: p.B, Semi: p.Semi.Partner, One: p.Bipartite.Partner})
	}
	if l.Convergence != nil {
		e.Found = l.Convergence.FoundIn
	}
	for _, m := range d.Tree.Merges {
		if m.Height <= 0 {
			break // what is left has nothing in common
		}
		e.Merges = append(e.Merges, []float64{float64(m.A), float64(m.B), math.Round(1e4*m.Height) / 1e4})
	}
	for net := range d.Patches {
		s, err := patchSheet(d.Patches[net])
		if err != nil {
			return nil, err
		}
		e.Patches = append(e.Patches, s)
	}
	if i == 0 {
		for _, filters := range a.Filters {
			if len(filters) != l.Units[0] {
				break // of another layer
			}
			s, err := filterSheet(filters)
			if err != nil {
				return nil, err
			}
			e.Filters = append(e.Filters, s)
		}
	}
	return e, nil
}

// Of each unit the page shows so many patches, of so many pixels at most; of few pixels
// each is worth its bits.
const (
	sheetPatches = 4
	sheetSize    = 24
	exactSize    = 12
)

func patchSheet(units [][]study.Patch) (sheet, error) {
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
