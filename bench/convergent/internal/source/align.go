package source

import (
	"fmt"
	"slices"
	"strings"
)

// align finds the layers that are compared in full: those that pairings or the order
// say, else those that all networks have; if every network has one layer only, these,
// whatever they are called.
func (o Options) align(nets []*network) ([]Aligned, error) {
	var all []Aligned
	var err error
	switch {
	case o.ByOrder && len(o.Pairings) > 0:
		return nil, fmt.Errorf("-by-order: layers are aligned by -pair already; give one of them")
	case o.ByOrder:
		all, err = byOrder(nets)
	case len(o.Pairings) > 0:
		all, err = o.byPairing(nets)
	default:
		all = byName(nets)
	}
	if err != nil {
		return nil, err
	}
	taken, kept := make(map[string]bool), all[:0]
	for _, a := range all {
		a.Name = alignedName(nets, taken, a.Layers)
		err := o.checkPositions(nets, a)
		switch {
		case err == nil:
			taken[a.Name], kept = true, append(kept, a)
		case !o.sizesDiffer || o.ByOrder || len(o.Pairings) > 0:
			return nil, err
		}
	}
	return kept, nil
}

func byName(nets []*network) []Aligned {
	if !slices.ContainsFunc(nets, func(n *network) bool { return len(n.layers) > 1 }) {
		return []Aligned{{Layers: make([]int, len(nets))}}
	}
	numbers := make([]map[string]int, len(nets))
	for i, n := range nets {
		numbers[i] = make(map[string]int)
		for k, l := range n.layers {
			numbers[i][l.name] = k
		}
	}
	var all []Aligned
	for i, l := range nets[0].layers {
		a := Aligned{Layers: []int{i}}
		for n := range nets[1:] {
			if k, ok := numbers[n+1][l.name]; ok {
				a.Layers = append(a.Layers, k)
			}
		}
		if len(a.Layers) == len(nets) {
			all = append(all, a)
		}
	}
	return all
}

func byOrder(nets []*network) ([]Aligned, error) {
	var all []Aligned
	for i := range nets[0].layers {
		all = append(all, Aligned{Layers: slices.Repeat([]int{i}, len(nets))})
	}
	for _, n := range nets {
		if len(n.layers) != len(all) {
			return nil, fmt.Errorf("-by-order: networks have different numbers of layers; choose by -layers, or align by -pair; %s", layerLists(nets))
		}
	}
	return all, nil
}

// byPairing reads NETWORK:LAYER=NETWORK:LAYER=...
func (o Options) byPairing(nets []*network) ([]Aligned, error) {
	var all []Aligned
	for _, text := range o.Pairings {
		a := Aligned{Layers: slices.Repeat([]int{-1}, len(nets))}
		for _, end := range pairingEnds(nets, text) {
			number, name := pairedNetwork(nets, end)
			if number < 0 {
				return nil, fmt.Errorf("-pair %s: %q does not begin with a network and a colon; networks are %s", text, end, strings.Join(networkNames(nets), ", "))
			}
			if a.Layers[number] >= 0 {
				return nil, fmt.Errorf("-pair %s: two layers of %s", text, nets[number].name)
			}
			k := slices.IndexFunc(nets[number].layers, func(l *layer) bool { return l == nets[number].layer(name) })
			if k < 0 {
				return nil, noLayer(nets, number, text, name)
			}
			a.Layers[number] = k
		}
		if missing := slices.Index(a.Layers, -1); missing >= 0 {
			return nil, fmt.Errorf("-pair %s: no layer of %s; a layer of every network is needed: %s:LAYER", text, nets[missing].name, nets[missing].name)
		}
		for _, other := range all {
			if slices.Equal(other.Layers, a.Layers) {
				return nil, fmt.Errorf("-pair %s is given twice", text)
			}
		}
		all = append(all, a)
	}
	return all, nil
}

// noLayer is the error of a pairing whose end is no layer of a network, perhaps because what was
// meant for the name of a network is none.
func noLayer(nets []*network, number int, text, name string) error {
	end := name
	if layer, other, ok := strings.Cut(name, "="); ok && nets[number].layer(layer) != nil {
		end = other
	}
	prefix, layer, colon := strings.Cut(end, ":")
	if colon && (end != name || slices.ContainsFunc(nets, func(n *network) bool { return n.layer(layer) != nil })) {
		return fmt.Errorf("-pair %s: no network is called %q; networks are %s", text, prefix, strings.Join(networkNames(nets), ", "))
	}
	return fmt.Errorf("-pair %s: no layer %q; %s; networks are %s", text, name, layersNear(name, nets[number:number+1]), strings.Join(networkNames(nets), ", "))
}

// pairingEnds splits at those = that the name of a network follows, since names of layers
// may have others. Without the names of networks, LAYER=LAYER are those of the networks in
// their order.
func pairingEnds(nets []*network, text string) []string {
	var ends []string
	if layers := strings.Split(text, "="); len(layers) == len(nets) {
		for i, l := range layers {
			if number, _ := pairedNetwork(nets, l); number >= 0 {
				break
			}
			ends = append(ends, nets[i].name+":"+l)
		}
		if len(ends) == len(nets) {
			return ends
		}
		ends = nil
	}
	for _, part := range strings.Split(text, "=") {
		if number, _ := pairedNetwork(nets, part); number < 0 && len(ends) > 0 {
			ends[len(ends)-1] += "=" + part
			continue
		}
		ends = append(ends, part)
	}
	return ends
}

// pairedNetwork returns the number of the network whose name and a colon text begins
// with, and what follows; -1 if there is none.
func pairedNetwork(nets []*network, text string) (number int, layer string) {
	number = -1
	for i, n := range nets {
		if rest, ok := strings.CutPrefix(text, n.name+":"); ok && (number < 0 || len(n.name) > len(nets[number].name)) {
			number, layer = i, rest
		}
	}
	return number, layer
}

func networkNames(nets []*network) []string {
	names := make([]string, len(nets))
	for i, n := range nets {
		names[i] = n.name
	}
	return names
}

// alignedName joins the different names of aligned layers to one that is not taken.
func alignedName(nets []*network, taken map[string]bool, layers []int) string {
	var names []string
	for n, k := range layers {
		if name := nets[n].layers[k].name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	joined := strings.Join(names, "-")
	name := joined
	for k := 2; taken[name]; k++ {
		name = fmt.Sprintf("%s-%d", joined, k)
	}
	return name
}

func (o Options) checkPositions(nets []*network, a Aligned) error {
	if o.Pool {
		return nil
	}
	first := nets[0].layers[a.Layers[0]]
	for n, k := range a.Layers {
		l := nets[n].layers[k]
		if l.size.Positions() != first.size.Positions() {
			return fmt.Errorf("layer %s: a sample has %d positions in %v and %d in %v; compare means over positions with -pool", a.Name, first.size.Positions(), first, l.size.Positions(), l)
		}
		if !sameExtents(l.size.Extents, first.size.Extents) {
			return fmt.Errorf("layer %s: %v has %v, and %v has %v; transpose one of them, or compare means over positions with -pool", a.Name, first, first.size, l, l.size)
		}
	}
	return nil
}

// sameExtents reports whether positions of the given extents go together: of as many
// extents, each is the same. Tokens go with the positions of a map row by row.
func sameExtents(a, b []int) bool {
	return len(a) != len(b) || slices.Equal(a, b)
}
