package graph

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/natural"
)

// Choose returns the layers that patterns say, in the network's order: names of layers, nodes
// or tensors, in which * stands for any letters and ? for one. Of what a pattern with these
// matches, it means the layers that are compared by default, if there are any. What one
// without names must be comparable. Without patterns they are all those by default.
//
// The second result are the patterns that match no layer, each with the nearest name.
func (g *Graph) Choose(patterns []string) (layers []Layer, unmatched map[string]string, err error) {
	if len(patterns) == 0 {
		return g.Comparable(true), nil, nil
	}
	unmatched = make(map[string]string)
	chosen := make([]bool, len(g.Layers))
	for _, pattern := range patterns {
		matched, err := g.matches(pattern)
		if err != nil {
			return nil, nil, err
		}
		if len(matched) == 0 {
			unmatched[pattern] = g.nearest(pattern)
		}
		for _, i := range matched {
			chosen[i] = true
		}
	}
	for i, l := range g.Layers {
		if chosen[i] {
			layers = append(layers, l)
		}
	}
	return layers, unmatched, nil
}

// matches returns the numbers of the layers that a pattern means.
func (g *Graph) matches(pattern string) (matched []int, err error) {
	exact := !strings.ContainsAny(pattern, "*?")
	match := matcher(pattern)
	byDefault := false
	for i, l := range g.Layers {
		switch {
		case !match(l.Name) && !match(l.Node) && !match(l.Tensor):
		case l.Reason == "":
			matched = append(matched, i)
			byDefault = byDefault || l.Default
		case exact:
			return nil, fmt.Errorf("layer %s cannot be compared: %s", pattern, l.Reason)
		}
	}
	if !exact && byDefault {
		matched = slices.DeleteFunc(matched, func(i int) bool { return !g.Layers[i].Default })
	}
	return matched, nil
}

// matcher returns what a pattern holds of.
func matcher(pattern string) func(name string) bool {
	text := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	exp := regexp.MustCompile("^(?s:" + text + ")$")
	return func(name string) bool { return name == pattern || exp.MatchString(name) }
}

// nearest returns the name of the layer that is nearest to a pattern.
func (g *Graph) nearest(pattern string) string {
	var names []string
	for _, l := range g.Layers {
		if l.Reason == "" {
			names = append(names, l.Name)
		}
	}
	return append(natural.Nearest(pattern, names), "")[0]
}
