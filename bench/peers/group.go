package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// group is the rows of one kind of work, tier, number of threads and peer's role.
type group struct {
	Kind, Tier string
	Threads    int
	ratios     []float64 // the least of a work's peers
}

// kind returns what works are summed up by: of a network its name, batch and direction, else
// the direction of convolutions and the first part of other names.
func kind(work string) string {
	parts := strings.Split(work, "/")
	switch {
	case len(parts) == 4: // conv/NETWORK.LAYER/BATCH/DIRECTION
		network, _, _ := strings.Cut(parts[1], ".")
		return strings.Join([]string{network, parts[2], parts[3]}, " ")
	case parts[0] == "conv":
		return "convolutions " + parts[len(parts)-1]
	}
	return parts[0]
}

// groups sums up rows: of each work the fastest peer counts.
func groups(rows []row) []group {
	type key struct {
		work, tier string
		threads    int
	}
	var all []group
	place := make(map[key][2]int) // of a group, and of a ratio in it
	for _, r := range rows {
		if r.Peer == "" {
			continue
		}
		k := key{r.Work, r.Tier, r.Threads}
		if at, ok := place[k]; ok {
			least := &all[at[0]].ratios[at[1]]
			*least = min(*least, r.Ratio)
			continue
		}
		g := slices.IndexFunc(all, func(g group) bool {
			return g.Kind == kind(r.Work) && g.Tier == r.Tier && g.Threads == r.Threads
		})
		if g < 0 {
			g, all = len(all), append(all, group{Kind: kind(r.Work), Tier: r.Tier, Threads: r.Threads})
		}
		place[k] = [2]int{g, len(all[g].ratios)}
		all[g].ratios = append(all[g].ratios, r.Ratio)
	}
	return all
}

// mean returns the geometric mean of the ratios.
func (g group) mean() float64 {
	var sum float64
	for _, r := range g.ratios {
		sum += math.Log(r)
	}
	return math.Exp(sum / float64(len(g.ratios)))
}

const groupHeader = "kind                                threads  tier      works  ratio, geometric mean   least  below 1"

// String formats a group under its header.
func (g group) String() string {
	below := 0
	for _, r := range g.ratios {
		if r < 1 {
			below++
		}
	}
	return fmt.Sprintf("%-35s %7d  %-8s %6d  %21.2f  %6.2f  %7d", g.Kind, g.Threads, g.Tier, len(g.ratios), g.mean(), slices.Min(g.ratios), below)
}
