package study

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/nn"
	"github.com/convergent-go/convergent/spectral"
)

// Artifacts is everything that an output folder holds, for the report.
type Artifacts struct {
	Results *Results
	Filters [][]image.Image // first-layer filters by network and unit, one pixel a weight; nil if not known
	Layers  []LayerData     // as Results.Layers
}

// LayerData is what results.json is too small for.
type LayerData struct {
	Name        string
	Correlation *mat.Dense     // of all units of all networks, network after network
	Means       [][]float64    // of the activations, by network and unit
	Patches     [][][]Patch    // by network and unit, the most activating first; fewer for dead units; nil if not known
	W           *mat.Dense     // LASSO weights, units of network 0 x units of network 1
	WLambda     float64        // the lambda of W
	Tree        *spectral.Tree // average linkage over [[I, W], [W^T, I]]
}

// Patch is a piece of an image that activates a unit: its receptive field,
// grey where that leaves the image.
type Patch struct {
	Image image.Image `json:"-"`
	Value float64     `json:"value"` // the activation
	Index int         `json:"image"` // among the test images
	Y     int         `json:"y"`     // position in the layer's map
	X     int         `json:"x"`
}

// Open reads a finished run from its folder.
func Open(dir string) (*Artifacts, error) {
	a := &Artifacts{Results: new(Results)}
	if err := readJSON(filepath.Join(dir, resultsFile), a.Results); err != nil {
		return nil, err
	}
	if a.Results.Schema != Schema || a.Results.Config == nil {
		return nil, fmt.Errorf("%s: schema %q, want %q", filepath.Join(dir, resultsFile), a.Results.Schema, Schema)
	}
	arch := a.Results.Config.arch(len(a.Results.Dataset.Classes))
	for _, network := range a.Results.Networks {
		n, err := nn.Load(filepath.Join(dir, network.File), arch)
		if err != nil {
			return nil, err
		}
		a.Filters = append(a.Filters, filters(n))
	}
	for _, l := range a.Results.Layers {
		d, err := openLayer(dir, l)
		if err != nil {
			return nil, err
		}
		a.Layers = append(a.Layers, *d)
	}
	return a, nil
}

func openLayer(dir string, l Layer) (*LayerData, error) {
	dir = filepath.Join(dir, "layers", l.Name)
	d := &LayerData{Name: l.Name}
	m, err := corr.LoadMoments(filepath.Join(dir, momentsFile))
	if err != nil {
		return nil, err
	}
	d.Correlation, d.Means = Joint(m)
	if d.Patches, err = openPatches(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, mappingFile)
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, err
	}
	w, err := f.Get("weights")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lambda, err := f.Get("lambda")
	if err != nil || len(lambda.F64) != 1 || len(w.F64) != l.Units[0]*l.Units[1] {
		return nil, fmt.Errorf("%s: not a mapping of %d units to %d", path, l.Units[0], l.Units[1])
	}
	d.W, d.WLambda = mat.NewDense(l.Units[0], l.Units[1], w.F64), lambda.F64[0]
	d.Tree, err = spectral.AverageLinkage(spectral.MappingGraph(d.W))
	return d, err
}

// Joint returns the correlations of all units of all networks, network after network,
// and the means of each network's units.
func Joint(m *corr.Moments) (correlation *mat.Dense, means [][]float64) {
	begin := []int{0}
	for a := range m.Networks() {
		begin = append(begin, begin[a]+m.Units(a))
		means = append(means, m.Mean(a))
	}
	all := begin[m.Networks()]
	correlation = mat.NewDense(all, all, nil)
	for a := range m.Networks() {
		for b := range m.Networks() {
			m.Correlation(correlation.Slice(begin[a], begin[a+1], begin[b], begin[b+1]).(*mat.Dense), a, b)
		}
	}
	return correlation, means
}

// filters draws the weights of the first layer: zero is grey, and the largest
// of a filter in size is full colour.
func filters(n *nn.Net) []image.Image {
	w := n.Params()[0]
	out, size, depth := w.Shape[0], w.Shape[1], w.Shape[3]
	images := make([]image.Image, out)
	for o := range images {
		v := w.Data[o*size*size*depth:][:size*size*depth]
		var largest float64
		for _, x := range v {
			largest = max(largest, math.Abs(float64(x)))
		}
		tone := func(x float32) uint8 {
			if largest == 0 {
				return 128
			}
			return uint8(math.Round(127.5 + 127.5*float64(x)/largest))
		}
		img := image.NewNRGBA(image.Rect(0, 0, size, size))
		for at := range size * size {
			c := v[at*depth:][:depth]
			img.SetNRGBA(at%size, at/size, color.NRGBA{tone(c[0]), tone(c[1%depth]), tone(c[2%depth]), 255})
		}
		images[o] = img
	}
	return images
}

// Patches are kept as a list and one picture: a row for each unit of each
// network, a column for each rank.

func openPatches(dir string) ([][][]Patch, error) {
	var patches [][][]Patch
	if err := readJSON(filepath.Join(dir, patchesFile), &patches); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, sheetFile)
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sheet, err := png.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	size := sheet.Bounds().Dx() / patchCount
	row := 0
	for _, units := range patches {
		for _, ranks := range units {
			for i := range ranks {
				cell := image.NewRGBA(image.Rect(0, 0, size, size))
				draw.Draw(cell, cell.Bounds(), sheet, image.Pt(i*size, row*size), draw.Src)
				ranks[i].Image = cell
			}
			row++
		}
	}
	return patches, nil
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
