package results

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/spectral"
)

// Files of a layer.
const (
	MomentsFile = "moments.safetensors" // of all networks' units
	MappingFile = "mapping.safetensors" // LASSO weights from network 0 to network 1
	LayerFile   = "layer.json"          // its results
)

// Artifacts is everything that an output folder holds, for the report.
type Artifacts struct {
	Results *Results
	Filters [][]image.Image // first-layer filters by network and unit, one pixel a weight; nil if not known
	Layers  []LayerData     // as Results.Layers

	Version string // of the program that began the run; may be empty
	Hash    string // SHA-256 of results.json
}

// LayerData is what results.json is too small for; nothing but the name of a run that computed
// nothing within networks.
type LayerData struct {
	Name        string
	Correlation *mat.Dense     // of all units of all networks, network after network
	Means       [][]float64    // of the activations, by network and unit
	Patches     [][][]Patch    // by network and unit, the most activating first; fewer for dead units; nil if not known
	W           *mat.Dense     // LASSO weights, units of network 0 x units of network 1
	WLambda     float64        // the lambda of W
	Tree        *spectral.Tree // average linkage over [[I, W], [W^T, I]]
}

// Open reads a finished run from its folder.
func Open(dir string) (*Artifacts, error) {
	f := Folder{Dir: dir}
	path := f.Path(resultsFile)
	a := &Artifacts{Results: new(Results)}
	if err := readJSON(path, a.Results); err != nil {
		return nil, err
	}
	if a.Results.Schema != Schema {
		return nil, fmt.Errorf("%s: schema %q, want %q", path, a.Results.Schema, Schema)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a.Hash = fmt.Sprintf("%x", sha256.Sum256(written))
	var begun run
	if err := readJSON(f.Path(runFile), &begun); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	a.Version = begun.Version
	if layers := a.Results.Layers; len(layers) > 0 {
		if a.Filters, err = openFilters(f.Layer(layers[0].Name), len(a.Results.Networks)); err != nil {
			return nil, err
		}
	}
	for _, l := range a.Results.Layers {
		if a.Results.Config.Analysis.Between {
			a.Layers = append(a.Layers, LayerData{Name: l.Name})
			continue
		}
		d, err := openLayer(&f, l)
		if err != nil {
			return nil, err
		}
		a.Layers = append(a.Layers, *d)
	}
	return a, nil
}

func openLayer(f *Folder, l Layer) (*LayerData, error) {
	d := &LayerData{Name: l.Name}
	m, err := corr.LoadMoments(f.Layer(l.Name, MomentsFile))
	if err != nil {
		return nil, err
	}
	d.Correlation, d.Means = joint(m)
	if d.Patches, err = OpenPatches(f.Layer(l.Name)); err != nil {
		return nil, err
	}
	if d.W, d.WLambda, err = openMapping(f.Layer(l.Name, MappingFile), l); err != nil {
		return nil, err
	}
	d.Tree, err = spectral.AverageLinkage(spectral.MappingGraph(d.W))
	return d, err
}

// joint returns the correlations of all units of all networks, network after network,
// and the means of each network's units.
func joint(m *corr.Moments) (correlation *mat.Dense, means [][]float64) {
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
	return corr.ZeroNaN(correlation), means
}
