package identification

import (
	"github.com/convergent-go/convergent/corr"
)

// decide takes, for every layer of every network and each other network, the layer of that
// which is most similar. Representations are numbered network by network; layers are those
// among which it is decided.
func decide(m measure, layersOfEach int, layers []int) Measure {
	networks := m.networks
	r := Measure{Name: m.name, Networks: networks, Decisions: networks * (networks - 1) * len(layers), Similarity: square(len(layers)), Chosen: square(len(layers))}
	identified, split := square(networks), square(networks) // shares, by network and other network
	each := float64(networks * (networks - 1))
	for a := range networks {
		for b := range networks {
			if a == b {
				continue
			}
			for i, layer := range layers {
				var best []int // of the other's layers, those that are most similar
				similarities := make([]float64, len(layers))
				for j, other := range layers {
					similarities[j] = m.of(a*layersOfEach+layer, b*layersOfEach+other)
					r.Similarity[i][j] += similarities[j] / each
					switch {
					case len(best) == 0 || similarities[j] > similarities[best[0]]:
						best = append(best[:0], j)
					case similarities[j] == similarities[best[0]]:
						best = append(best, j)
					}
				}
				for _, j := range best {
					r.Chosen[i][j] += 1 / each / float64(len(best))
					if j == i {
						split[a][b] += 1 / float64(len(layers)) / float64(len(best))
						if len(best) == 1 {
							identified[a][b] += 1 / float64(len(layers))
						}
					}
				}
			}
		}
	}
	r.Identified, r.Low, r.High = overNetworks(identified)
	r.TiesAtRandom, _, _ = overNetworks(split)
	return r
}

func square(n int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
	}
	return rows
}

// overNetworks returns the mean over ordered pairs of networks, with a 95 % interval over
// other networks, if there are three or more.
func overNetworks(pairs [][]float64) (mean float64, low, high *float64) {
	var both []float64 // directions, of each two networks
	for a := range pairs {
		for b := a + 1; b < len(pairs); b++ {
			both = append(both, (pairs[a][b]+pairs[b][a])/2)
		}
	}
	j := corr.JackknifePairs(len(pairs), both, nil)
	if len(pairs) < 3 {
		return j.Value, nil, nil
	}
	l, h := j.Interval(0.95)
	l, h = max(l, 0), min(h, 1)
	return j.Value, &l, &h
}
