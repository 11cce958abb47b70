package report

import (
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// contents is what the page shows, with the names that it has room for.
type contents struct {
	*results.Artifacts
	networks      []name
	layers        []layer
	abbreviations []name // all names that are shortened
}

func newContents(a *results.Artifacts) *contents {
	c := &contents{Artifacts: a}
	var full []string
	for n := range a.Results.Networks {
		full = append(full, networkName(a.Results.Networks, n))
	}
	c.networks = shortNames(full)
	full = nil
	for _, l := range a.Results.Layers {
		full = append(full, l.Name)
	}
	for i, title := range shortNames(full) {
		c.layers = append(c.layers, newLayer(a.Results.Layers[i], title))
	}
	c.abbreviations = slices.Clone(c.networks)
	for _, l := range c.layers {
		c.abbreviations = append(c.abbreviations, l.Title)
		for n := range l.Units {
			c.abbreviations = append(c.abbreviations, c.networkLayer(l, n))
		}
	}
	c.abbreviations = slices.DeleteFunc(c.abbreviations, func(n name) bool { return n.Full == n.Short })
	return c
}

// glossary says what the short names in a text stand for.
func (c *contents) glossary(text string) string {
	var lines []string
	for _, n := range c.abbreviations {
		if line := n.Short + ": " + n.Full; strings.Contains(text, n.Short) && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// reproduction says whether the networks were trained, or run, here.
func (c *contents) reproduction() bool { return c.Results.Config.Training != nil }

// run says whether the networks were trained elsewhere, and run here on what was given.
func (c *contents) run() bool {
	a := c.Results.Config.Activations
	return a != nil && (a.Data != "" || a.Inputs != "")
}

// pretrained says whether the networks are run here, but were trained elsewhere.
func (c *contents) pretrained() bool {
	return c.reproduction() && len(c.Results.Config.Training.Networks) > 0
}

// network is a network's short name.
func (c *contents) network(n int) string { return c.networks[n].Short }

func (c *contents) networkLayer(l layer, n int) name {
	full := networkLayer(l.Layer, n)
	return name{full, shorten(full, nameLength)}
}

// uniform says whether networks call a layer by its name.
func (l layer) uniform() bool {
	for n := range l.Units {
		if networkLayer(l.Layer, n) != l.Name {
			return false
		}
	}
	return true
}

// place says where units are: in a network, or, if networks call the layer differently,
// in which layer of it.
func (c *contents) place(l layer, n int) string {
	if l.uniform() {
		return c.network(n)
	}
	return c.networkLayer(l, n).Short + " of " + c.network(n)
}

// places joins those of two networks.
func (c *contents) places(l layer, p results.Pair) string {
	return c.place(l, p.A) + " and " + c.place(l, p.B)
}

// alias is what some networks call a layer.
type alias struct {
	Layer    name
	Networks string
}

// aliasNetworks is how many networks are named that call a layer the same.
const aliasNetworks = 4

// aliases says what networks call a layer, if not all call it by its name.
func (c *contents) aliases(l layer) []alias {
	if l.uniform() {
		return nil
	}
	var all []alias
	var networks [][]string
	for n := range l.Units {
		called := c.networkLayer(l, n)
		k := slices.IndexFunc(all, func(a alias) bool { return a.Layer.Full == called.Full })
		if k < 0 {
			k = len(all)
			all, networks = append(all, alias{Layer: called}), append(networks, nil)
		}
		networks[k] = append(networks[k], c.network(n))
	}
	for k := range all {
		if len(all) == 1 {
			all[k].Networks = "all networks"
		} else {
			all[k].Networks = list(networks[k], aliasNetworks)
		}
	}
	return all
}
