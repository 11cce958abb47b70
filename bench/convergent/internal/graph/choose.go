package graph

import (
	"fmt"
	"regexp"
	"strings"
)

// Choose returns the layers that patterns say, in the network's order: names of layers, nodes
// or tensors, in which * stands for any letters and ? for one. What a pattern without these
// names must be comparable. Without patterns they are those of [Graph.Comparable] by default.
//
// The second result are the patterns that match no layer, each with the nearest name.
func (g *Graph) Choose(patterns []string) (layers []Layer, unmatched map[string]string, err error) {
	if len(patterns) == 0 {
		return g.Comparable(true), nil, nil
	}
	unmatched = make(map[string]string)
	chosen := make([]bool, len(g.Layers))
	for _, pattern := range patterns {
		match := matcher(pattern)
		found := false
		for i, l := range g.Layers {
			if !match(l.Name) && !match(l.Node) && !match(l.Tensor) {
				continue
			}
			if l.Reason != "" {
				if !strings.ContainsAny(pattern, "*?") {
					return nil, nil, fmt.Errorf("layer %s cannot be compared: %s", pattern, l.Reason)
				}
				continue
			}
			chosen[i], found = true, true
		}
		if !found {
			unmatched[pattern] = g.nearest(pattern)
		}
	}
	for i, l := range g.Layers {
		if chosen[i] {
			layers = append(layers, l)
		}
	}
	return layers, unmatched, nil
}

// matcher returns what a pattern holds of.
func matcher(pattern string) func(name string) bool {
	text := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	exp := regexp.MustCompile("^(?s:" + text + ")$")
	return func(name string) bool { return name == pattern || exp.MatchString(name) }
}

// nearest returns the name of the layer that takes the fewest changes of letters.
func (g *Graph) nearest(name string) string {
	best, least := "", 0
	for _, l := range g.Layers {
		if l.Reason != "" {
			continue
		}
		if d := distance(name, l.Name); best == "" || d < least {
			best, least = l.Name, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or replaced (Levenshtein).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		before := row[0]
		row[0] = i + 1
		for j, s := range y {
			replaced := before
			if r != s {
				replaced++
			}
			before = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
