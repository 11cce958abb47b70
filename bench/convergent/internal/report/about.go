package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// term is a word that the page uses in one sense.
type term struct{ Name, Meaning string }

var terms = []term{
	{"unit", "A channel or neuron; its activations over all images and positions are what is compared."},
	{"r", "The correlation of two units' activations."},
	{"semi-matching", "Each unit of one network takes the unit of the other that it correlates most with, its best partner. Several may take the same one."},
	{"one-to-one matching", "Each unit of one network takes another unit of the other network, so that the sum of correlations is largest (bipartite matching). The mean of these correlations is the matched r."},
	{"rotated null", "What matching gives when one network's units are turned at random within the space that they span: what would be found if single units meant nothing. Before the ReLU: the inputs of the ReLU are turned and made as sparse as the units were, which is harder to surpass."},
	{"shuffled null", "What a figure is when one network's images are exchanged for others, as a whole: what is found between networks that see different things."},
	{"untrained", "Networks of the same architecture before any training: what the architecture and the images give by themselves."},
	{"interval", "Where a figure lies, with 95 % confidence, for other networks trained alike, or for other images; by leaving out each network, or groups of images, in turn."},
	{"p", "The share of draws of a null at least as far out as what was observed, both counted. ≤ marks the least that so many draws can tell."},
	{"q", "The least rate of false discoveries, among all tests of a kind, at which this one counts as found (Benjamini and Hochberg, 1995)."},
	{"calibrated", "How far a figure is from what 95 % of a null's draws do not pass, on the way to 1."},
	{"dead unit", "One that never changes on these images."},
	{"lambda", "The penalty of a sparse prediction, in units of correlation: a unit that correlates less than this with all others is predicted from none."},
	{"R²", "The share of a unit's variance that a prediction explains. On held-out images it can be below 0, worse than predicting the mean."},
}

// terms are those that the page has.
func (c *contents) terms() []term {
	shuffled, untrained := c.hasNull(shuffleNull), c.hasNull(untrainedNull)
	has := map[string]bool{"untrained": untrained, "shuffled null": shuffled, "calibrated": shuffled, "interval": c.intervals() != intervals{}, "p": len(c.layers) > 0, "q": len(c.layers) > 0}
	return slices.DeleteFunc(slices.Clone(terms), func(t term) bool {
		known, asked := has[t.Name]
		return asked && !known
	})
}

// hasNull says whether any layer has a null.
func (c *contents) hasNull(name string) bool {
	return slices.ContainsFunc(c.layers, func(l layer) bool { return matchedNull(l, name) != nil })
}

// nulls names the kinds of chance that figures stand beside.
func (c *contents) nulls() string {
	words := []string{"of units turned at random (rotated null)"}
	if c.hasNull(shuffleNull) {
		words = append(words, "of images exchanged (shuffled null)")
	}
	if c.hasNull(untrainedNull) {
		words = append(words, "of networks before training (untrained)")
	}
	return list(words, len(words))
}

// fact is a line about how the page was made.
type fact struct{ Name, Value string }

// facts say how the page came about.
func (c *contents) facts() []fact {
	r := c.Results
	all := []fact{{"command", c.command()}}
	if c.Version != "" {
		all = append(all, fact{"convergent", c.Version})
	}
	if t := r.Config.Training; t != nil {
		if len(t.Networks) == 0 {
			all = append(all, fact{"seeds of networks", fmt.Sprintf("%d to %d", t.Seed, t.Seed+uint64(max(1, t.Nets))-1)})
		}
		if t.Fingerprint != "" {
			all = append(all, fact{"images and labels, hash", t.Fingerprint})
		}
	}
	all = append(all, fact{"seed of nulls", fmt.Sprint(r.Config.Analysis.Seed)}, fact{"schema", r.Schema})
	if c.Hash != "" {
		all = append(all, fact{"results.json, SHA-256", c.Hash})
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
}

// citation is how the page is cited.
func (c *contents) citation() string {
	text := "Li, Y., Yosinski, J., Clune, J., Lipson, H., and Hopcroft, J. (2016). Convergent Learning: Do different neural networks learn the same representations? ICLR.\nComputed with convergent"
	if c.Version != "" {
		text += " " + c.Version
	}
	text += ", https://github.com/convergent-go/convergent"
	if c.Hash != "" {
		text += ", results.json " + c.Hash[:min(16, len(c.Hash))]
	}
	return text + "."
}

// command is one that gives these results again. Files stand by their names alone.
func (c *contents) command() string {
	words := []string{"convergent"}
	add := func(flag string, value any) {
		var text string
		switch v := value.(type) {
		case bool:
			if v {
				words = append(words, "-"+flag)
			}
			return
		case []string:
			text = strings.Join(v, ",")
		case []float64:
			var all []string
			for _, x := range v {
				all = append(all, fmt.Sprint(x))
			}
			text = strings.Join(all, ",")
		default:
			if text = fmt.Sprint(v); text == "0" {
				return
			}
		}
		if text != "" {
			words = append(words, "-"+flag, quoted(text))
		}
	}
	if t := c.Results.Config.Training; t != nil {
		words = append(words, "reproduce")
		if t.Data != results.Procedural {
			add("data", t.Data)
		}
		add("networks", t.Networks)
		if len(t.Networks) == 0 {
			add("nets", t.Nets)
			add("epochs", t.Epochs)
			add("seed", t.Seed)
			add("batch", t.Batch)
			add("rate", t.Rate)
			add("widths", t.Widths)
		}
		add("arch", t.Arch)
		add("width", t.Width)
		add("train", t.TrainImages)
		add("test", t.TestImages)
		add("images", t.Images)
		if t.Arch == "" || strings.HasPrefix(t.Arch, "caffenet") {
			add("layers", t.Layers)
		}
	}
	if a := c.Results.Config.Activations; a != nil {
		words = append(words, "compare")
		for _, n := range a.Networks {
			words = append(words, quoted(n))
		}
		add("names", a.Names)
		add("layout", a.Layouts)
		add("layer-files", a.LayerFiles)
		add("layers", a.Layers)
		for _, p := range a.Pairings {
			add("pair", p)
		}
		add("by-order", a.ByOrder)
		add("pool", a.Pool)
		for _, f := range []struct {
			flag  string
			files []string
		}{{"sample-ids", a.SampleIDs}, {"image-ids", a.ImageIDs}, {"classes", a.Classes}, {"unit-names", a.UnitNames}, {"mask", a.Masks}, {"before-relu", a.BeforeReLU}, {"baseline", a.Baseline}} {
			add(f.flag, f.files)
		}
		add("images", a.Images)
		add("data", a.Data)
		add("inputs", a.Inputs)
		add("samples", a.Samples)
		add("batch", a.Batch)
		var presets []string
		for _, p := range a.Preprocess {
			presets = append(presets, p.Preset)
		}
		add("preprocess", slices.Compact(presets))
	}
	if len(words) == 1 {
		return ""
	}
	a := c.Results.Config.Analysis
	add("between", a.Between)
	add("lambdas", a.Lambdas)
	add("clusters", a.Clusters)
	add("draws", a.Draws)
	words = append(words, "-shuffles", fmt.Sprint(a.Shuffles))
	if !a.Between {
		words = append(words, "-gram", fmt.Sprint(a.Gram))
	}
	add("groups", a.Groups)
	return strings.Join(words, " ")
}

// quoted is a word as a shell reads it.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-,:/=+@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
