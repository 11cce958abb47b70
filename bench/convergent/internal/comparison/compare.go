package comparison

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// Compare compares networks that were trained elsewhere, of which activations are given,
// or files of moments, a layer of all networks in each; see [Reproduce] for what is left
// in o.Out.
func Compare(ctx context.Context, in source.Options, o Options) (*results.Results, error) {
	var err error
	if o.Analysis, err = analysis(o.Analysis); err != nil {
		return nil, err
	}
	if momentsGiven(in.Networks) {
		return compareMoments(ctx, in, o)
	}
	if len(in.Networks) < 2 {
		return nil, errFewNetworks
	}
	arrays, err := source.OpenArrays(in)
	if err != nil {
		return nil, err
	}
	defer arrays.Close()
	for _, line := range arrays.Reading() {
		o.Progress.Report(progress.Event{Task: line})
	}
	for _, line := range arrays.Warnings() {
		o.Progress.Report(progress.Event{Task: "warning: " + line})
	}
	d := arrays.Description()
	res := &results.Results{Schema: results.Schema, Config: results.Config{Activations: activationConfig(in), Analysis: o.Analysis}}
	for _, n := range d.Networks {
		res.Networks = append(res.Networks, results.Network{Name: n.Name, File: n.File})
	}
	var names []string
	for _, a := range d.Aligned {
		names = append(names, a.Name)
	}
	r := &road{Options: o, pairFiles: true, describe: true}
	files, err := inputs(d.Files)
	if err != nil {
		return nil, err
	}
	if r.folder, err = results.OpenFolder(o.Out, res.Config, files, o.Overwrite); err != nil {
		return nil, err
	}
	defer r.folder.Close()
	if err := r.folder.Claim(res.Config); err != nil {
		return nil, err
	}
	if err := r.fromSource(ctx, func() (source.Source, error) { return arrays, nil }, names, 0, res); err != nil {
		return nil, err
	}
	return res, results.Write(o.Out, res)
}

// activationConfig is what results depend on: names of files, not where they lie.
func activationConfig(in source.Options) *results.Activations {
	base := func(paths []string) []string {
		var names []string
		for _, path := range paths {
			parts := strings.Split(path, ",")
			for i, p := range parts {
				parts[i] = filepath.Base(p)
			}
			names = append(names, strings.Join(parts, ","))
		}
		return names
	}
	a := &results.Activations{
		Networks: base(in.Networks), Names: in.Names, Layouts: in.Layouts.String(), LayerFiles: in.LayerFiles, Layers: in.Only,
		Pairings: in.Pairings, ByOrder: in.ByOrder, Pool: in.Pool, Baseline: base(in.Baseline),
	}
	for _, labels := range [][]string{in.SampleIDs, in.ImageIDs, in.Classes, in.UnitNames, in.Masks} {
		a.Labels = append(a.Labels, base(labels)...)
	}
	if in.Pictures != "" {
		a.Images = filepath.Base(in.Pictures)
	}
	return a
}

// momentsSuffix is the ending of files of moments.
const momentsSuffix = ".moments"

// momentsGiven says whether the first path is a file of moments, by its ending.
func momentsGiven(paths []string) bool {
	for _, path := range paths {
		if filepath.Ext(path) == momentsSuffix || filepath.Base(path) == results.MomentsFile {
			return true
		}
	}
	return false
}

// compareMoments compares what moments hold.
func compareMoments(ctx context.Context, in source.Options, o Options) (*results.Results, error) {
	layers, networks, err := openMoments(in, o)
	if err != nil {
		return nil, err
	}
	files, err := inputs(in.Networks)
	if err != nil {
		return nil, err
	}
	res := &results.Results{Schema: results.Schema, Config: results.Config{Activations: activationConfig(in), Analysis: o.Analysis}, Networks: networks}
	r := &road{Options: o, pairFiles: true, describe: true}
	if r.folder, err = results.OpenFolder(o.Out, res.Config, files, o.Overwrite); err != nil {
		return nil, err
	}
	defer r.folder.Close()
	if err := r.folder.Claim(res.Config); err != nil {
		return nil, err
	}
	for _, l := range layers {
		layer, ok, err := results.Resumed[*results.Layer](r.folder.Layer(l.Name, results.LayerFile))
		if err == nil && !ok {
			layer, err = r.layer(ctx, l)
		}
		if err != nil {
			return nil, err
		}
		res.Layers = append(res.Layers, *layer)
	}
	return res, results.Write(o.Out, res)
}

// openMoments reads files of moments of the same networks.
func openMoments(in source.Options, o Options) (layers []*observe.Layer, networks []results.Network, err error) {
	taken := make(map[string]bool)
	r := &road{Options: o}
	for _, path := range in.Networks {
		if !momentsGiven([]string{path}) {
			return nil, nil, fmt.Errorf("%s: moments and arrays are not compared with each other; make moments of all networks at once: convergent moments A.npy B.npy -o all%s", path, momentsSuffix)
		}
		m, err := corr.LoadMoments(path)
		if err != nil {
			return nil, nil, err
		}
		if m.Networks() < 2 {
			return nil, nil, fmt.Errorf("%s: moments of one network, which do not say how its units vary with those of others; they must be accumulated together: convergent moments A.npy B.npy -o all%s", path, momentsSuffix)
		}
		own := momentsNetworks(m, in.Names, path)
		if networks == nil {
			networks = own
		}
		if !sameNames(networks, own) {
			return nil, nil, fmt.Errorf("%s: moments of other networks than those of %s", path, in.Networks[0])
		}
		l := observe.FromMoments(m, momentsLayer(m, path, taken))
		if taken[l.Name] {
			return nil, nil, fmt.Errorf("%s: two layers are called %s", path, l.Name)
		}
		taken[l.Name] = true
		if err := r.afford(corr.EstimateMemory(l.Units...)); err != nil {
			return nil, nil, err
		}
		layers = append(layers, l)
	}
	return layers, networks, nil
}

// momentsNetworks names the networks of moments: as they say, or as asked, or by number.
func momentsNetworks(m *corr.Moments, names []string, path string) []results.Network {
	var all []results.Network
	for n := range m.Networks() {
		name := m.Network(n).Name
		if n < len(names) {
			name = names[n]
		}
		if name == "" {
			name = fmt.Sprint("network ", n+1)
		}
		all = append(all, results.Network{Name: name, File: filepath.Base(path)})
	}
	return all
}

func sameNames(a, b []results.Network) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

// momentsLayer names the layer of moments: as they say, or by its file, or folder where
// that is a run's.
func momentsLayer(m *corr.Moments, path string, taken map[string]bool) string {
	name := source.FileName(m.Network(0).Layer)
	if m.Network(0).Layer != "" && !taken[name] {
		return name
	}
	if filepath.Base(path) == results.MomentsFile {
		return source.FileName(filepath.Base(filepath.Dir(path)))
	}
	return source.FileName(strings.TrimSuffix(filepath.Base(path), momentsSuffix))
}
