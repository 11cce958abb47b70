package finding

import (
	"cmp"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// unit is a unit of a network.
type unit struct{ network, number int }

// partners are the units that each unit is matched to beyond a limit, one at most in each
// other network.
type partners map[unit]map[int]unit

func (p partners) add(a, b unit) {
	for _, ends := range [][2]unit{{a, b}, {b, a}} {
		if p[ends[0]] == nil {
			p[ends[0]] = make(map[int]unit)
		}
		p[ends[0]][ends[1].network] = ends[1]
	}
}

// matched reports whether two units are partners.
func (p partners) matched(a, b unit) bool {
	own, ok := p[a][b.network]
	return ok && own == b
}

// features counts features by the number of networks that have them. A feature of several
// networks is one unit of each, all of which are matched to each other beyond the limit:
// that a unit has a partner in each of three networks does not make these partners of each
// other.
//
// Chance is to leave as it is how many units of each two networks are matched beyond the
// limit, and which, and to take away that matchings agree: so it deals out the partners anew
// among the matched units of every pair of networks. Rotated units would be no chance of
// that. Few of them are beyond the limit at all, and so hardly any agree, whatever the
// networks' own do.
func (l *layer) features(all []matching, limit float64) []results.Feature {
	nets := len(l.Units)
	if nets < 3 {
		return nil // a matching of two cannot disagree
	}
	beyond := make([]matching, len(all))
	live := 0
	for n, units := range l.Units {
		live += units - len(l.result.Dead[n])
	}
	for k, m := range all {
		for i, r := range m.r {
			if r > limit {
				beyond[k].a, beyond[k].b = append(beyond[k].a, m.a[i]), append(beyond[k].b, m.b[i])
			}
		}
	}
	count := func(exchange bool, draw int) []int {
		rnd := random(l.Seed, partnerExchange, draw)
		p := make(partners)
		for k, pair := range l.result.Pairs {
			b := slices.Clone(beyond[k].b)
			if exchange {
				rnd.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
			}
			for i, a := range beyond[k].a {
				p.add(unit{pair.A, a}, unit{pair.B, b[i]})
			}
		}
		return countCliques(p, nets)
	}
	observed := count(false, 0)
	drawn := make([][]int, l.Draws)
	par.For(par.Threads(l.Threads), l.Draws, func(d int) { drawn[d] = count(true, d) })
	var features []results.Feature
	for n := nets; n >= 2; n-- {
		f := results.Feature{Networks: n, Count: observed[n], Share: float64(n*observed[n]) / float64(live)}
		var chance, orMore corr.Null
		for _, counts := range drawn {
			chance.Draws = append(chance.Draws, float64(counts[n]))
			orMore.Draws = append(orMore.Draws, float64(sum(counts[n:])))
		}
		f.Expected = chance.Mean()
		if n > 2 {
			f.P = results.Finite(orMore.PValue(float64(sum(observed[n:]))))
		}
		features = append(features, f)
	}
	return features
}

// countCliques counts cliques of units by their size: the largest first, each unit in one
// at most. Cliques with a unit of every network share no unit, since a unit has one partner
// in each other network; of smaller ones that do, the first counts.
func countCliques(p partners, nets int) []int {
	units := make([]unit, 0, len(p))
	for u := range p {
		units = append(units, u)
	}
	slices.SortFunc(units, func(a, b unit) int {
		return cmp.Or(cmp.Compare(a.network, b.network), cmp.Compare(a.number, b.number))
	})
	counts := make([]int, nets+1)
	used := make(map[unit]bool)
	for size := nets; size >= 2; size-- {
		for _, u := range units {
			if used[u] {
				continue
			}
			var later []unit
			for n := u.network + 1; n < nets; n++ {
				if other, ok := p[u][n]; ok && !used[other] {
					later = append(later, other)
				}
			}
			if clique := p.clique([]unit{u}, later, size); clique != nil {
				counts[size]++
				for _, member := range clique {
					used[member] = true
				}
			}
		}
	}
	return counts
}

// clique completes a clique to a size from units that are partners of all its members; nil
// if that cannot be.
func (p partners) clique(members, candidates []unit, size int) []unit {
	if len(members) == size {
		return members
	}
	for i, c := range candidates {
		if len(members)+len(candidates)-i < size {
			return nil
		}
		var left []unit
		for _, other := range candidates[i+1:] {
			if p.matched(c, other) {
				left = append(left, other)
			}
		}
		if clique := p.clique(append(members[:len(members):len(members)], c), left, size); clique != nil {
			return clique
		}
	}
	return nil
}

func sum(x []int) int {
	n := 0
	for _, v := range x {
		n += v
	}
	return n
}
