package corr

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Network says what a network's units are. What is empty is unknown, and agrees with
// anything.
type Network struct {
	Name  string   `json:"name,omitempty"`  // of the network
	Layer string   `json:"layer,omitempty"` // whose units these are
	Units []string `json:"units,omitempty"` // names, one for each unit, or none
}

// Describe says what a network's units are. It panics if there are names of units,
// but not one for each.
func (m *Moments) Describe(network int, n Network) {
	if len(n.Units) != 0 && len(n.Units) != m.units[network] {
		panic("corr: names are needed for every unit")
	}
	m.networks[network] = n
}

// Network returns what Describe said.
func (m *Moments) Network(network int) Network { return m.networks[network] }

// together returns what two descriptions say between them, or an error.
func (n Network) together(o Network) (Network, error) {
	pick := func(what string, a *string, b string) error {
		if *a != "" && b != "" && *a != b {
			return fmt.Errorf("%s %q is not %q", what, *a, b)
		}
		if *a == "" {
			*a = b
		}
		return nil
	}
	if err := errors.Join(pick("network", &n.Name, o.Name), pick("layer", &n.Layer, o.Layer)); err != nil {
		return n, err
	}
	if n.Units != nil && o.Units != nil && !slices.Equal(n.Units, o.Units) {
		return n, errors.New("the units have other names")
	}
	if n.Units == nil {
		n.Units = o.Units
	}
	return n, nil
}

// samples know which samples were added, if callers say so.
type samples struct {
	Unknown bool   `json:"unknown,omitempty"` // some were added without an identifier
	Set     uint64 `json:"set"`               // sum of what mix makes of every row's sample: of no order
	Parts   []part `json:"parts,omitempty"`   // passes whose moments were merged, and this one
	Open    bool   `json:"open,omitempty"`    // the last part goes on
}

// part is a pass over samples.
type part struct {
	Order uint64 `json:"order"` // depends on the order too
	Rows  int64  `json:"rows"`
}

// add notes samples of so many rows each.
func (s *samples) add(ids []uint64, rows int) {
	if !s.Open {
		s.Parts = append(slices.Clip(s.Parts), part{})
		s.Open = true
	}
	p := &s.Parts[len(s.Parts)-1]
	for _, id := range ids {
		s.Set += uint64(rows) * mix(id)
		p.Order = mix(p.Order ^ mix(id+uint64(rows)<<40))
	}
	p.Rows += int64(len(ids) * rows)
}

// merge adds those of another pass. The same pass twice is an error.
func (s *samples) merge(o samples) error {
	for _, p := range o.Parts {
		if slices.Contains(s.Parts, p) {
			return fmt.Errorf("the same %d rows are in both", p.Rows)
		}
	}
	s.Unknown = s.Unknown || o.Unknown
	s.Set += o.Set
	s.Parts = append(slices.Clip(s.Parts), o.Parts...)
	s.Open = false
	return nil
}

// mix is a bijection that spreads 64 bits (the finisher of SplitMix64: Steele, Lea and
// Flood, "Fast splittable pseudorandom number generators", 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// SameSamples returns an error unless m and o were made from the same samples, as far
// as both know (see [Moments.AddTensors]): only then may they be compared, as trained
// networks with untrained ones. The order of samples does not matter.
func (m *Moments) SameSamples(o *Moments) error {
	switch {
	case m.Source != "" && o.Source != "" && m.Source != o.Source:
		return fmt.Errorf("corr: moments of %q and of %q are not of the same samples", m.Source, o.Source)
	case m.Count() != o.Count():
		return fmt.Errorf("corr: moments of %d and of %d observations are not of the same samples", m.Count(), o.Count())
	case !m.samples.Unknown && !o.samples.Unknown && m.samples.Set != o.samples.Set:
		return fmt.Errorf("corr: moments of different samples (fingerprints %x and %x)", m.samples.Set, o.samples.Set)
	}
	return nil
}

// Fingerprint returns a hash of the samples' identifiers that does not depend on their
// order; false if some rows were added without.
func (m *Moments) Fingerprint() (uint64, bool) {
	return m.samples.Set, !m.samples.Unknown
}

// describe writes what is known besides numbers.
func (m *Moments) describe() map[string]string {
	networks, _ := json.Marshal(m.networks) // strings and numbers only: no error
	samples, _ := json.Marshal(m.samples)
	return map[string]string{"format": format, "source": m.Source, "networks": string(networks), "samples": string(samples)}
}

// described reads it, for networks whose numbers of units are known.
func (m *Moments) described(meta map[string]string) error {
	m.Source = meta["source"]
	var networks []Network
	if err := json.Unmarshal([]byte(meta["networks"]), &networks); err != nil {
		return fmt.Errorf("networks: %w", err)
	}
	if err := json.Unmarshal([]byte(meta["samples"]), &m.samples); err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	if len(networks) != len(m.units) {
		return fmt.Errorf("%d networks are described, of %d", len(networks), len(m.units))
	}
	for i, n := range networks {
		if len(n.Units) != 0 && len(n.Units) != m.units[i] {
			return fmt.Errorf("network %d: %d names for %d units", i, len(n.Units), m.units[i])
		}
		m.networks[i] = n
	}
	return nil
}
