package report

import (
	"fmt"

	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

func drawClusters(c *contents, i int) drawing {
	const width, height = 380, 260
	l := c.layers[i]
	pair := l.Pairs[0]
	if len(pair.Clusters) == 0 {
		return drawing{}
	}
	var between, within []float64
	single := 0
	for _, k := range pair.Clusters {
		between, within = append(between, k.Between), append(within, k.Within)
		if len(k.A) == 0 || len(k.B) == 0 {
			single++
		}
	}
	alone := ""
	if single > 0 {
		alone = fmt.Sprintf("; 0 where all units are of one network, as in %d", single)
	}
	columns := []string{"cluster", "units of " + c.networks[pair.A].Full, "units of " + c.networks[pair.B].Full, "between", "between_paper", "within"}
	return drawing{
		name: "clusters_" + l.Name, width: width, height: height, data: append([][]string{columns}, results.ClusterRows(pair.Clusters)...), key: []entry{{"between networks", palette[0], asLine}, {"within", palette[1], asDots}},
		caption: fmt.Sprintf("Spectral clusters of the units of %s together, %d in all. Between networks: a cluster's mean correlation over its pairs of a unit of either%s. "+
			"Within: the mean over pairs of two different units of one network, a unit with itself left out, averaged over the networks that the cluster has units of; a network's only unit counts 1. "+
			"In the data, between_paper is the paper's normalisation: the same sum as between, divided by the product of the numbers of live units that the two networks have in the whole layer.",
			c.places(l, pair), len(pair.Clusters), alone),
		paper: "The paper found that most clusters that hold units of both networks are about as alike between them as within.",
		draw: func(canvas draw.Canvas) {
			p := newPlot("cluster, sorted", "mean correlation", width)
			dots(p, "within", ranked(p, within), palette[1])
			line(p, "between", ranked(p, between), palette[0], false)
			p.Y.Min = min(0, p.Y.Min)
			drawPlot(p, canvas)
		},
	}
}
