package report

import (
	"fmt"
	"slices"
)

// claim is a question of the paper, what was found of it, and where the page shows more.
// Titles ask, since the answer may be either.
type claim struct {
	ID, Title string
	Number    string   // that decides it
	Verdict   []string // where rules show its statements
	Sentence  string
	Paper     string  // what the paper found
	Layers    []layer // of which something is known
	Figures   []figure

	Answer []figure // of all layers

	answer   *answer
	drawings []drawing
}

// namedLayers is how many layers a sentence names.
const namedLayers = 6

// claims are stated in this order; one of which nothing is known is nil.
var claims = []func(*contents) *claim{convergence, subspaces, basis, activity, descent, geometry, growth, widths}

// layersWith are the layers of which something is known.
func (c *contents) layersWith(present func(l layer) bool) []layer {
	return slices.DeleteFunc(slices.Clone(c.layers), func(l layer) bool { return !present(l) })
}

// endpoints says something of the first layer and, if there are more, of the last.
func endpoints(layers []layer, and string, of func(l layer) string) string {
	first, last := layers[0], layers[len(layers)-1]
	text := of(first) + " in " + first.Title.Short
	if len(layers) > 1 {
		text += and + of(last) + " in " + last.Title.Short
	}
	return text
}

// sentence appends to a text what fmt.Sprintf makes.
func sentence(text *string, format string, args ...any) {
	if *text != "" {
		*text += " "
	}
	*text += fmt.Sprintf(format, args...)
}
