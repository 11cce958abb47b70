package corr

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Network is the description of a network. An empty field is unknown, and agrees with
// any value.
type Network struct {
	Name  string   `json:"name,omitempty"`  // of the network
	Layer string   `json:"layer,omitempty"` // that the units belong to
	Units []string `json:"units,omitempty"` // names, one for each unit, or none
}

// Describe sets the description of a network. It panics if there are names of units,
// but not one for each.
func (m *Moments) Describe(network int, n Network) {
	if len(n.Units) != 0 && len(n.Units) != m.Units(network) {
		panic("corr: names are needed for every unit")
	}
	m.require(network)
	m.networks[network] = n
}

// Network returns the description of a network, the zero value before Describe.
func (m *Moments) Network(network int) Network {
	m.require(network)
	return m.networks[network]
}

// reconcile returns the description that agrees with both n and o, or an error if there
// is none.
func (n Network) reconcile(o Network) (Network, error) {
	reconcileName := func(kind string, a *string, b string) error {
		if *a != "" && b != "" && *a != b {
			return fmt.Errorf("%s %q is not %q", kind, *a, b)
		}
		if *a == "" {
			*a = b
		}
		return nil
	}
	if err := errors.Join(reconcileName("network", &n.Name, o.Name), reconcileName("layer", &n.Layer, o.Layer)); err != nil {
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

// samples are the record of the samples that were added, as far as callers identify them.
type samples struct {
	Unknown bool   `json:"unknown,omitempty"` // a sample was added without an identifier
	Hash    uint64 `json:"set"`               // sum of the mixed identifiers of all rows: independent of their order
	Passes  []pass `json:"parts,omitempty"`   // passes whose moments were merged, and this one
	Open    bool   `json:"open,omitempty"`    // the last pass goes on

	ids []uint64 // of all samples, rising; nil: they were not recorded
}

// pass is the record of one pass over samples.
type pass struct {
	OrderHash uint64 `json:"order"` // depends on the order of samples
	Rows      int64  `json:"rows"`
}

// record adds samples of the given number of rows each; nil ids are unknown.
func (s *samples) record(ids []uint64, rows int) {
	s.ids = nil // which these are not among
	if ids == nil {
		s.Unknown = true
	} else {
		s.add(ids, rows)
	}
}

// add records samples of the given number of rows each.
func (s *samples) add(ids []uint64, rows int) {
	if !s.Open {
		s.Passes = append(slices.Clip(s.Passes), pass{})
		s.Open = true
	}
	p := &s.Passes[len(s.Passes)-1]
	for _, id := range ids {
		s.Hash += uint64(rows) * mix(id)
		p.OrderHash = mix(p.OrderHash ^ mix(id+uint64(rows)<<40))
	}
	p.Rows += int64(len(ids) * rows)
}

// RecordSamples records the identifiers of all samples that were added, until others are:
// eight bytes for each sample. Files have them then, and merged moments those of both. Of
// moments that both have them Merge finds every sample that is in both, else the same pass alone.
func (m *Moments) RecordSamples(ids []uint64) {
	ids = append([]uint64{}, ids...)
	slices.Sort(ids)
	m.samples.ids = slices.Compact(ids)
}

// merge adds the record of other passes. The same pass or a recorded sample twice is an error.
func (s *samples) merge(o samples) error {
	if n := len(s.ids) + len(o.ids) - len(union(s.ids, o.ids)); n > 0 {
		return fmt.Errorf("%d samples of %d are in both", n, len(o.ids))
	}
	for _, p := range o.Passes {
		if slices.Contains(s.Passes, p) {
			return fmt.Errorf("the same %d rows are in both", p.Rows)
		}
	}
	s.append(o)
	return nil
}

// union returns the elements of rising slices, rising.
func union(a, b []uint64) []uint64 {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// append adds those of another pass, or another part of this one.
func (s *samples) append(o samples) {
	switch {
	case len(s.Passes) == 0 && !s.Unknown: // there are none yet
		s.ids = o.ids
	case s.ids != nil && o.ids != nil:
		s.ids = union(s.ids, o.ids)
	default:
		s.ids = nil
	}
	s.Unknown = s.Unknown || o.Unknown
	s.Hash += o.Hash
	s.Passes = append(slices.Clip(s.Passes), o.Passes...)
	s.Open = false
}

// mix is a bijection that spreads 64 bits (the finisher of SplitMix64: Steele, Lea and
// Flood, "Fast splittable pseudorandom number generators", 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// SameSamples returns an error if m and o are known to be of different samples (see
// [Moments.AddTensors]), and so cannot be compared, as trained networks with untrained
// ones. The order of samples does not matter.
func (m *Moments) SameSamples(o *Moments) error {
	switch {
	case m.Source != "" && o.Source != "" && m.Source != o.Source:
		return fmt.Errorf("corr: moments of %q and of %q are not of the same samples", m.Source, o.Source)
	case m.Count() != o.Count():
		return fmt.Errorf("corr: moments of %d and of %d observations are not of the same samples", m.Count(), o.Count())
	case !m.samples.Unknown && !o.samples.Unknown && m.samples.Hash != o.samples.Hash:
		return fmt.Errorf("corr: moments of different samples (fingerprints %x and %x)", m.samples.Hash, o.samples.Hash)
	}
	return nil
}

// Fingerprint returns a hash of the samples' identifiers that does not depend on their
// order; false if any row was added without one.
func (m *Moments) Fingerprint() (uint64, bool) {
	return m.samples.Hash, !m.samples.Unknown
}

// metadata returns the source, and the descriptions of networks and samples, as strings
// of a safetensors file.
func (m *Moments) metadata() map[string]string {
	networks, _ := json.Marshal(m.networks) // strings and numbers only: no error
	samples, _ := json.Marshal(m.samples)
	meta := map[string]string{"source": m.Source, "networks": string(networks), "samples": string(samples)}
	if m.Manifest != "" {
		meta["manifest"] = m.Manifest
	}
	return meta
}

// setMetadata reads metadata under names with a prefix, for networks whose numbers of units are
// set.
func (m *Moments) setMetadata(meta map[string]string, prefix string) error {
	m.Source, m.Manifest = meta[prefix+"source"], meta[prefix+"manifest"]
	var networks []Network
	if err := json.Unmarshal([]byte(meta[prefix+"networks"]), &networks); err != nil {
		return fmt.Errorf("networks: %w", err)
	}
	if err := json.Unmarshal([]byte(meta[prefix+"samples"]), &m.samples); err != nil {
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
