package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// openingNames is how many networks the opening names.
const openingNames = 4

// opening says what was compared.
func (c *contents) opening() string {
	r := c.Results
	n := len(r.Networks)
	if d := r.Dataset; d != nil {
		trained := fmt.Sprintf("%d networks of one architecture, trained from different seeds on %s images (%s, %d classes)", n, thousands(int64(d.Train)), d.Name, len(d.Classes))
		if c.pretrained() {
			trained = fmt.Sprintf("%d networks of one architecture that were trained elsewhere (images: %s, %d classes)", n, d.Name, len(d.Classes))
		}
		return fmt.Sprintf("%s, looked at the same %s test images. A unit is a channel; its activations after the ReLU, over all images and positions, are compared with those of the other networks' units.", trained, thousands(int64(d.Sampled)))
	}
	names := make([]string, n)
	for i := range names {
		names[i] = c.network(i)
	}
	text := fmt.Sprintf("%d networks, %s, are compared by their activations", n, list(names, openingNames))
	if len(c.layers) == 0 {
		return text + "."
	}
	first := c.layers[0]
	if first.Samples != nil {
		text += fmt.Sprintf(" on the same %s samples", thousands(*first.Samples))
	} else {
		text += ", of which files of moments were given"
	}
	if len(c.layers) == 1 {
		text += fmt.Sprintf(", at one layer, %s", c.extent(first))
	} else {
		text += fmt.Sprintf(", at %d layers, from %s to %s", len(c.layers), c.extent(first), c.extent(c.layers[len(c.layers)-1]))
	}
	text += ". The activations of each unit, over all samples and positions, are compared with those of the other networks' units."
	images := r.Config.Activations != nil && r.Config.Activations.Data != ""
	if a := r.Config.Activations; images {
		text += fmt.Sprintf(" The samples are images of %s%s.", a.Data, preprocessing(a.Preprocess))
	}
	if a := r.Config.Activations; a != nil && a.Pool {
		text += " They are means over the positions of a sample."
	}
	if first.Samples != nil && !images {
		text += " An image, where this page speaks of images, is what intervals, halves and exchanges are over: what the samples are of, be it an image or a text, or else each sample."
	}
	return text
}

// preprocessing says what was done to images: of all networks if it was the same, else of
// each.
func preprocessing(all []results.Preprocess) string {
	var parts []string
	for _, p := range all {
		if text := fmt.Sprintf("resized and cut to %d × %d (%s)", p.Crop[0], p.Crop[1], p.Preset); !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + list(parts, openingNames)
}

// demonstration says what generated images are good for, and is empty for others.
func (c *contents) demonstration() string {
	if !c.reproduction() || c.Results.Config.Training.Data != results.Procedural {
		return ""
	}
	return "This is a small demonstration: small networks and generated images show how the method works, and are no evidence on the paper's claims. For evidence, give real images with -data."
}

// extent says how large a layer is: "conv1 (16 units, 4 x 4 positions)".
func (c *contents) extent(l layer) string {
	called := l.Title.Short
	if all := c.aliases(l); len(all) > 1 {
		var parts []string
		for _, a := range all {
			parts = append(parts, a.Layer.Short+" of "+a.Networks)
		}
		called = list(parts, openingNames)
	}
	return fmt.Sprintf("%s (%s, %s, %s observations)", called, c.unitCounts(l), l.positionCount(), thousands(l.Rows))
}

// unitCounts says how many units the networks have at a layer.
func (c *contents) unitCounts(l layer) string {
	minimum, maximum := slices.Min(l.Units), slices.Max(l.Units)
	switch {
	case minimum == maximum && maximum == 1:
		return "1 unit in each network"
	case minimum == maximum:
		return fmt.Sprintf("%d units in each network", maximum)
	case len(l.Units) > openingNames:
		return fmt.Sprintf("%d to %d units", minimum, maximum)
	}
	var parts []string
	for n, units := range l.Units {
		parts = append(parts, fmt.Sprintf("%d in %s", units, c.network(n)))
	}
	return "units: " + list(parts, openingNames)
}

// Extent is the positions of a sample: "8 x 8".
func (l layer) Extent() string {
	switch {
	case l.Positions == nil:
		return dash
	case len(l.Positions) == 0:
		return "1"
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(l.Positions), "[]"), " ", " × ")
}

func (l layer) positionCount() string {
	switch e := l.Extent(); e {
	case dash:
		return "positions not known"
	case "1":
		return "1 position"
	default:
		return e + " positions"
	}
}

// UnitRange is how many units the networks have: "8", or "8 to 12".
func (l layer) UnitRange() string {
	minimum, maximum := slices.Min(l.Units), slices.Max(l.Units)
	if minimum == maximum {
		return fmt.Sprint(maximum)
	}
	return fmt.Sprintf("%d to %d", minimum, maximum)
}

// Part says of how many live units of each network a figure is: "8", or in a wide layer
// "512 of 2048".
func (l layer) Part(units []int) string {
	if len(units) == 0 {
		return dash
	}
	var parts []string
	for n, of := range units {
		if part := l.PartOf(n, of); !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return list(parts, len(parts))
}

// PartOf is the same of one network.
func (l layer) PartOf(network, units int) string {
	if live := l.Units[network] - len(l.Dead[network]); units < live {
		return fmt.Sprintf("%d of %d", units, live)
	}
	return fmt.Sprint(units)
}

// omissions say what was not given, and so is not there.
func (c *contents) omissions() []string {
	if len(c.layers) == 0 {
		return []string{"No layer is called the same in all networks, so that no units are compared: layers are aligned by -pair or -by-order."}
	}
	if c.Results.Config.Analysis.Between {
		return c.betweenOmissions()
	}
	var all []string
	if c.layers[0].Samples == nil {
		all = append(all, "Files of moments know no images: there are no intervals over images, no predictions on images held out, no networks that see different images, no networks before training, no gradient descent, no patches of images and no grid of all layers. Activations themselves would give these.")
	} else {
		all = c.imageOmissions()
		if matchedNull(c.layers[0], untrainedNull) == nil {
			all = append(all, "No networks before training were given (-baseline), so it is not known how alike they were then.")
		}
		if matchedNull(c.layers[0], inputNull) == nil && c.run() {
			all = append(all, fmt.Sprintf("The layer %s is not that of a ReLU in all networks, or means over positions are compared, so units are rotated as they are, which takes away that they are sparse, and is easier to surpass.", c.layers[0].Title.Short))
		} else if matchedNull(c.layers[0], inputNull) == nil {
			all = append(all, "The inputs of a ReLU were not given (-before-relu), so units are rotated after it alone, which takes away that they are sparse, and is easier to surpass.")
		}
	}
	if t := c.Results.Config.Training; t != nil && len(c.Results.Growth) < 2 {
		if c.pretrained() {
			all = append(all, "The networks were trained elsewhere, so it is not known when they came to be alike.")
		} else {
			all = append(all, fmt.Sprintf("No network was stored on its way through training, %d epochs, so it is not known when they came to be alike.", t.Epochs))
		}
	}
	for i, l := range c.layers {
		if l.Basis == nil {
			all = append(all, fmt.Sprintf("A network has a single live unit in %s, which makes no basis to turn: whether its code is local is not asked.", l.Title.Short))
		}
		if len(c.networks) > explorerNetworks && i == 0 {
			all = append(all, fmt.Sprintf("The units of the first %d networks can be explored on this page.", explorerNetworks))
		}
		if units := c.exploredUnits(i); units > explorerUnits {
			all = append(all, fmt.Sprintf("%s has %d units in these networks, more than the %d that can be explored on a page.", l.Title.Short, units, explorerUnits))
		} else if !c.explorable(i) {
			all = append(all, fmt.Sprintf("The units of %s cannot be explored on this page, which holds those of other layers.", l.Title.Short))
		}
		if len(l.Pairs) > pairColumns && i == 0 {
			all = append(all, fmt.Sprintf("There are %d pairs of networks. Tables of pairs have the first %d; results.json has all.", len(l.Pairs), pairColumns))
		}
	}
	return all
}

// betweenOmissions are what is not there where nothing within networks was computed, and what
// chance was drawn for.
func (c *contents) betweenOmissions() []string {
	all := []string{"Nothing within the networks was computed (-between): there are no sparse predictions, clusters, subspaces, bases, measures of similarity, grids of layers, nor units to explore, and no test of single units. A comparison without it has these, where memory suffices."}
	for _, l := range c.layers {
		for _, n := range l.Convergence.Nulls[:1] {
			all = append(all, fmt.Sprintf("Chance, in %s, is drawn for %d units of the first network at most, evenly spread, beside all of the second, at %d observations; what the networks' own units give there stands beside it, and not what all observations give.", l.Title.Short, n.Units, n.Observations))
		}
		c := l.Convergence
		switch {
		case c.HeldOut == nil:
			all = append(all, fmt.Sprintf("Units of %s are not matched on halves of the images: intervals were not asked for (-groups 1), or there is a single image.", l.Title.Short))
		case c.HeldOut.Images == nil:
			all = append(all, "There are no intervals over images: they need ten groups of images or more (-groups), and so ten images or more.")
		}
	}
	return all
}

// imageOmissions are what is not there of samples that were given.
func (c *contents) imageOmissions() []string {
	var all []string
	l, analysis := c.layers[0], c.Results.Config.Analysis
	if !c.intervals().Images {
		if analysis.Groups == 1 {
			all = append(all, "There are no intervals over images, which were not asked for (-groups 1).")
		} else {
			all = append(all, "There are no intervals over images: they need ten groups of images or more (-groups), and so ten images or more.")
		}
	}
	for _, l := range c.layers {
		if i := l.Layer.Measures["cka"].Images; i == nil && l.Convergence != nil && l.Convergence.Matched.Images != nil {
			all = append(all, fmt.Sprintf("Of %s matched r, on all images and on images held out, debiased CKA and the distance of mean activations alone have intervals over images: the others need four images for each unit of the widest network.", l.Title.Short))
		}
	}
	if l.Subspaces != nil && len(l.Subspaces.Predictions) == 0 {
		all = append(all, "Predictions are not tested on images held out, of which there must be two or more.")
	}
	if l.Convergence != nil && matchedNull(l, shuffleNull) == nil {
		if analysis.Shuffles == 0 {
			all = append(all, "Networks that see different images are not among the nulls: exchanges were not asked for (-shuffles 0).")
		} else {
			all = append(all, "Networks that see different images are not among the nulls: a single image can be exchanged with no other.")
		}
	}
	if !c.reproduction() && len(c.Layers) > 0 && c.Layers[0].Patches == nil {
		all = append(all, "No images were given (-images), so no patches show what units respond to.")
	}
	for _, l := range c.layers {
		if l.Convergence != nil && len(l.Descent) == 0 {
			all = append(all, fmt.Sprintf("Gradient descent was not tried in %s, where on the sampled positions no unit changes.", l.Title.Short))
		}
	}
	if len(c.layers) > 1 && len(c.Results.Grids) == 0 {
		all = append(all, "There is no grid of all layers, which have too many units together.")
	}
	if n := len(c.Results.Networks); len(c.Results.Grids) > 0 && n > 4 {
		all = append(all, fmt.Sprintf("Grids of all layers are of the first four of the %d networks.", n))
	}
	return all
}

// intervals says what any figure has an interval over.
type intervals struct{ Networks, Images bool }

func (c *contents) intervals() (has intervals) {
	for _, l := range c.layers {
		for _, f := range l.Layer.Figures() {
			has.Networks = has.Networks || f.Networks != nil
			has.Images = has.Images || f.Images != nil
		}
	}
	return has
}

// exploredUnits is how many units the networks that can be explored have at a layer.
func (c *contents) exploredUnits(i int) int {
	total := 0
	for _, u := range c.layers[i].Units[:c.explored()] {
		total += u
	}
	return total
}
