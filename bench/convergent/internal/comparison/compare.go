package comparison

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/natural"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// Compare compares networks that were trained elsewhere, of which activations are given,
// or files of moments, a layer of all networks in each; see [Reproduce] for what is left
// in o.Out.
func Compare(ctx context.Context, in source.Options, o Options) (_ *results.Results, err error) {
	settle := analysis
	if o.Between {
		settle = func(a results.Analysis) (results.Analysis, error) { return betweenOptions(in, a) }
	}
	if o.Analysis, err = settle(o.Analysis); err != nil {
		return nil, err
	}
	if files := expandMoments(in.Networks); slices.ContainsFunc(files, isMoments) {
		if o.Between {
			return nil, errors.New("-between: files of moments have what is within networks as well; compare them without it")
		}
		in.Networks = files
		return compareMoments(ctx, in, o)
	}
	stream := source.IsStream(in.Networks)
	if len(in.Networks) < 2 && !stream {
		return nil, errFewNetworks
	}
	in.Run.Threads, in.Run.MaxMemory = o.Threads, o.MaxMemory
	opened, err := open(ctx, in, o.Out)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	if stream {
		in.Networks = []string{"-"} // whatever a named pipe is called
	}
	for _, line := range opened.Reading() {
		o.Progress.Report(progress.Event{Task: line})
	}
	for _, line := range opened.Warnings() {
		o.Progress.Report(progress.Event{Task: "warning: " + line})
	}
	d := opened.Description()
	if len(d.Networks) < 2 {
		return nil, errFewNetworks
	}
	res := &results.Results{Schema: results.Schema, Config: results.Config{Activations: activationConfig(in), Analysis: o.Analysis}}
	if models, ok := opened.(*source.Models); ok {
		res.Config.Activations.Preprocess = preprocessing(models)
	}
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
	if stream {
		spool := opened.(*source.Arrays).Spool
		files = append(files, results.Input{Name: "stream", Size: spool.Bytes, Modified: int64(spool.Sum)})
	}
	if r.folder, err = results.OpenFolder(o.Out, res.Config, files, o.Version, o.Overwrite); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.folder.Close()) }()
	if err := r.folder.Claim(res.Config); err != nil {
		return nil, err
	}
	if o.Between {
		if err := r.between(ctx, opened, res); err != nil {
			return nil, err
		}
		return res, r.finish(res)
	}
	if err := r.fromSource(ctx, func() (source.Source, error) { return opened, nil }, names, 0, res); err != nil {
		return nil, err
	}
	if models, ok := opened.(*source.Models); ok && len(names) > 0 {
		if err := results.WriteFilters(r.folder.Layer(names[0]), models.Filters()); err != nil {
			return nil, err
		}
	}
	return res, r.finish(res)
}

// open opens files, or reads a stream, which is possible once: whether results can be written
// is tried before.
func open(ctx context.Context, in source.Options, out string) (source.Opened, error) {
	if !source.IsStream(in.Networks) {
		return source.Open(ctx, in)
	}
	unlock, err := artifact.Lock(out)
	if err != nil {
		return nil, err
	}
	unlock()
	return source.OpenSpooled(ctx, in)
}

// activationConfig is what results depend on: names of files, not where they lie.
func activationConfig(in source.Options) *results.Activations {
	a := &results.Activations{
		Networks: source.BaseNames(in.Networks), Names: in.Names, Layouts: in.Layouts.String(), LayerFiles: in.LayerFiles, Layers: in.Only,
		Pairings: in.Pairings, ByOrder: in.ByOrder, Pool: in.Pool, BeforeReLU: source.BaseNames(in.BeforeReLU), Baseline: source.BaseNames(in.Baseline),
		SampleIDs: source.BaseNames(in.SampleIDs), ImageIDs: source.BaseNames(in.ImageIDs), Classes: source.BaseNames(in.Classes), UnitNames: source.BaseNames(in.UnitNames), Masks: source.BaseNames(in.Masks),
	}
	base := func(path string) string {
		if path == "" {
			return ""
		}
		return filepath.Base(path)
	}
	a.Images, a.Data, a.Inputs = base(in.Pictures), base(in.Run.Data), base(in.Run.Inputs)
	a.Samples, a.Batch = in.Run.Samples, in.Run.Batch
	return a
}

// preprocessing is what is done to images for each network.
func preprocessing(m *source.Models) []results.Preprocess {
	var all []results.Preprocess
	for _, p := range m.Preprocessing() {
		order := "rgb"
		if p.BGR {
			order = "bgr"
		}
		all = append(all, results.Preprocess{Preset: p.Name, Resize: p.Resize, Crop: []int{p.Height, p.Width}, Scale: p.Scale, Mean: p.Mean, Std: p.Std, Order: order})
	}
	return all
}

// momentsSuffix is the ending of files of moments.
const momentsSuffix = ".moments"

// momentsFormat begins what files of moments say of their format.
const momentsFormat = "convergent.moments/"

// expandMoments puts the files of moments in a folder in the place of the folder.
func expandMoments(paths []string) []string {
	var files []string
	for _, path := range paths {
		inside, _ := filepath.Glob(filepath.Join(path, "*"+momentsSuffix))
		if len(inside) == 0 {
			inside = []string{path}
		}
		files = append(files, inside...)
	}
	return files
}

// isMoments says whether a file is one of moments.
func isMoments(path string) bool {
	if filepath.Ext(path) == momentsSuffix {
		return true
	}
	f, info, err := artifact.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	_, metadata, err := safetensors.ReadHeader(f, info.Size())
	return err == nil && strings.HasPrefix(metadata["format"], momentsFormat)
}

// arrayFlags names the first flag that is about arrays, or returns "".
func arrayFlags(in source.Options) string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"-layout", len(in.Layouts) > 0}, {"-layer-files", in.LayerFiles}, {"-pair", len(in.Pairings) > 0}, {"-by-order", in.ByOrder}, {"-pool", in.Pool},
		{"-sample-ids", len(in.SampleIDs) > 0}, {"-image-ids", len(in.ImageIDs) > 0}, {"-classes", len(in.Classes) > 0}, {"-unit-names", len(in.UnitNames) > 0},
		{"-mask", len(in.Masks) > 0}, {"-before-relu", len(in.BeforeReLU) > 0}, {"-baseline", len(in.Baseline) > 0}, {"-images", in.Pictures != ""},
		{"-data", in.Run.Data != ""}, {"-inputs", in.Run.Inputs != ""},
	} {
		if f.set {
			return f.name
		}
	}
	return ""
}

// compareMoments compares what moments hold.
func compareMoments(ctx context.Context, in source.Options, o Options) (_ *results.Results, err error) {
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
	if r.folder, err = results.OpenFolder(o.Out, res.Config, files, o.Version, o.Overwrite); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.folder.Close()) }()
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
	return res, r.finish(res)
}

// openMoments reads files of moments of the same networks.
func openMoments(in source.Options, o Options) (layers []*observe.Layer, networks []results.Network, err error) {
	if flag := arrayFlags(in); flag != "" {
		return nil, nil, fmt.Errorf("%s: it is about arrays, and files of moments were given", flag)
	}
	taken := make(map[string]bool)
	var names []string
	for _, path := range in.Networks {
		if !isMoments(path) {
			return nil, nil, fmt.Errorf("%s: moments and arrays are not compared with each other; make moments of all networks at once: convergent moments A.npy B.npy -o all%s", path, momentsSuffix)
		}
	}
	r := &road{Options: o}
	total, largest := momentsSizes(in.Networks)
	if n := len(in.Only); n > 0 {
		total = min(total, int64(n)*largest)
	}
	if err := r.afford(total + observe.WorkMatrices*largest); err != nil {
		return nil, nil, err
	}
	for _, path := range in.Networks {
		m, err := corr.LoadMoments(path)
		if err != nil {
			return nil, nil, err
		}
		if of, err := readManifest(path); err == nil && !of.whole() {
			o.Progress.Report(progress.Event{Task: fmt.Sprintf("warning: %s: %s alone", path, of.shards())})
		}
		if m.Networks() < 2 {
			return nil, nil, fmt.Errorf("%s: moments of one network, which do not say how its units vary with those of others; they must be accumulated together: convergent moments A.npy B.npy -o all%s", path, momentsSuffix)
		}
		if n := len(in.Names); n != 0 && n != m.Networks() {
			return nil, nil, fmt.Errorf("-names: %d for %d networks: give one for each", n, m.Networks())
		}
		own := momentsNetworks(m, in.Names, path)
		if networks == nil {
			networks = own
		}
		if !slices.Equal(networkNames(networks), networkNames(own)) {
			return nil, nil, fmt.Errorf("%s: moments of other networks than those of %s", path, in.Networks[0])
		}
		name := momentsLayer(m, path, taken)
		names = append(names, name)
		if len(in.Only) > 0 && !slices.Contains(in.Only, name) {
			continue
		}
		l := observe.FromMoments(m, name, networkNames(own))
		if taken[l.Name] {
			return nil, nil, fmt.Errorf("%s: two layers are called %s", path, l.Name)
		}
		taken[l.Name] = true
		layers = append(layers, l)
	}
	for _, only := range in.Only {
		if !slices.Contains(names, only) {
			return nil, nil, fmt.Errorf("-layers: there is no layer %q in the files of moments, which have %s", only, strings.Join(natural.Nearest(only, names), ", "))
		}
	}
	return layers, networks, nil
}

// momentsSizes are how large files of moments are, all of them and the largest: about as large as
// the moments in memory, which are a matrix of float64. What is no file is found when it is read.
func momentsSizes(paths []string) (total, largest int64) {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			total, largest = total+info.Size(), max(largest, info.Size())
		}
	}
	return total, largest
}

func networkNames(networks []results.Network) []string {
	names := make([]string, len(networks))
	for i, n := range networks {
		names[i] = n.Name
	}
	return names
}

// momentsNetworks names the networks of moments: as they say, or as asked, or by number.
func momentsNetworks(m *corr.Moments, names []string, path string) []results.Network {
	var all []string
	for n := range m.Networks() {
		name := m.Network(n).Name
		if len(names) > 0 {
			name = names[n]
		}
		if name == "" {
			name = fmt.Sprint("network ", n+1)
		}
		all = append(all, name)
	}
	var networks []results.Network
	for _, name := range source.Distinguish(all) {
		networks = append(networks, results.Network{Name: name, File: filepath.Base(path)})
	}
	return networks
}

// momentsLayer names the layer of moments: by the folder where that is a run's, or as they
// say, or by their file.
func momentsLayer(m *corr.Moments, path string, taken map[string]bool) string {
	if filepath.Base(path) == results.MomentsFile {
		if name, ok := artifact.NameOf(filepath.Base(filepath.Dir(path))); ok {
			return name
		}
	}
	if name := m.Network(0).Layer; name != "" && !taken[name] {
		return name
	}
	name := strings.TrimSuffix(filepath.Base(path), momentsSuffix)
	if of, ok := artifact.NameOf(name); ok {
		return of
	}
	return name
}
