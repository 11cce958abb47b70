package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/comparison"
	"github.com/convergent-go/convergent/bench/convergent/internal/report"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/train"
)

// analysis is what commands that compare networks have in common.
type analysis struct {
	Lambdas   []float64 `help:"Penalties of the sparse prediction, as correlations: a unit that correlates less than this with all others is predicted from none (0,0.001,0.01,0.03,0.1,0.25,0.5)." placeholder:"0,0.01"`
	Clusters  int       `help:"Spectral clusters in each layer; 0 means the paper's share, 0.42 of the units, at most 256." default:"0"`
	Draws     int       `help:"Random rotations of units, for what chance would give (${default})." default:"100"`
	Shuffles  int       `help:"Exchanges of images between networks, for the same; 0 means none (${default}), and 999 tell smaller p-values." default:"199"`
	Gram      int       `help:"Images every two of which are compared, for neighbours, ranks of distances and kernels, at most 20000; 0 means none (${default})." default:"2048"`
	Groups    int       `help:"Groups of images that intervals are made from; 0 means 10 to 25, fewer in wide layers, and 1 no intervals." default:"0"`
	Threads   int       `help:"Threads to use; 0 means all. It changes no result." default:"0"`
	Overwrite bool      `help:"Replace another run's results in the output folder."`
}

// check is an error that names the flag whose value is out of range.
func (a analysis) check() error {
	return cmp.Or(within("clusters", a.Clusters, 0, mostUnits), within("draws", a.Draws, 1, mostDraws), within("shuffles", a.Shuffles, 0, mostDraws), within("gram", a.Gram, 0, comparison.MaxGram), within("groups", a.Groups, 0, mostGroups), within("threads", a.Threads, 0, mostThreads))
}

// options are those of a comparison whose results go to a folder.
func (a analysis) options(out string, bars *bars) comparison.Options {
	return comparison.Options{
		Analysis: results.Analysis{Lambdas: a.Lambdas, Clusters: a.Clusters, Draws: a.Draws, Shuffles: a.Shuffles, Gram: a.Gram, Groups: a.Groups},
		Out:      out, Overwrite: a.Overwrite, Threads: a.Threads, Progress: bars.show, Version: programVersion(), Finish: writePage,
	}
}

// writePage writes the page of results.
func writePage(dir string) error {
	a, err := results.Open(dir)
	if err != nil {
		return err
	}
	if a.Filters == nil { // which networks that were trained here have in their files
		if a.Filters, err = train.Filters(dir, a.Results); err != nil {
			return err
		}
	}
	return report.Write(dir, a)
}

// say says what came out of a run.
func say(res *results.Results, out string, start time.Time) {
	printSummary(res)
	fmt.Printf("\nopen %s\nin %s\n", filepath.Join(out, "report.html"), time.Since(start).Round(100*time.Millisecond))
}

// printSummary prints the networks, and findings in means over all pairs of them.
func printSummary(res *results.Results) {
	fmt.Println()
	for i, n := range res.Networks {
		fmt.Printf("network %d  %s", i+1, printable(n.Name))
		if n.TestAccuracy != nil {
			fmt.Printf("  test accuracy %.1f %%", 100**n.TestAccuracy)
		}
		fmt.Println()
	}
	if len(res.Layers) == 0 {
		fmt.Println("\nNo layer is called the same in all networks: only the grid of all layers was made.\nSay which layers go together: -pair A:LAYER=B:LAYER, or -by-order.")
		return
	}
	if res.Config.Analysis.Between {
		printBetween(res)
		return
	}
	fmt.Printf("\n%-12s %6s %6s %10s %10s %10s %10s %8s\n", "layer", "units", "dead", "semi r", "matched r", "rotated r", "same unit", "R2")
	for _, l := range res.Layers {
		var semi, bipartite, null, same, r2 float64
		n := float64(len(l.Pairs))
		for _, p := range l.Pairs {
			semi += p.Semi.Mean / n
			bipartite += p.Bipartite.Mean / n
			null += p.Null.Rotation.SemiMean / n
			same += p.SamePartner / n
			best := p.Lasso[0].R2
			for _, f := range p.Lasso {
				best = max(best, f.R2)
			}
			r2 += best / n
		}
		dead := 0
		for _, d := range l.Dead {
			dead += len(d)
		}
		fmt.Printf("%-12s %6s %6d %10.3f %10.3f %10.3f %9.0f%% %8.3f\n", l.Name, l.Width(), dead, semi, bipartite, null, 100*same, r2)
	}
	fmt.Println("\nMeans over all pairs of networks. semi r: each unit's best partner;" +
		"\nmatched r: one to one; rotated r: best partner among randomly rotated units;" +
		"\nR2: linear prediction from the other network.")
}

// printBetween prints the same of what is between networks alone.
func printBetween(res *results.Results) {
	fmt.Printf("\n%-12s %6s %6s %10s %10s %10s %10s %10s\n", "layer", "units", "dead", "semi r", "matched r", "held out r", "mutual", "p")
	for _, l := range res.Layers {
		var semi, bipartite, mutual float64
		n := float64(len(l.Pairs))
		for _, p := range l.Pairs {
			semi += p.Semi.Mean / n
			bipartite += p.Bipartite.Mean / n
			mutual += float64(p.Between.Mutual.Matched()) / n
		}
		dead := 0
		for _, d := range l.Dead {
			dead += len(d)
		}
		heldOut, p := "-", "-"
		if h := l.Convergence.HeldOut; h != nil && h.Value != nil {
			heldOut = fmt.Sprintf("%.3f", *h.Value)
		}
		if l.Convergence.Matched.P != nil {
			p = fmt.Sprintf("%.3g", *l.Convergence.Matched.P)
		}
		fmt.Printf("%-12s %6s %6d %10.3f %10.3f %10s %10.0f %10s\n", l.Name, l.Width(), dead, semi, bipartite, heldOut, mutual, p)
	}
	fmt.Println("\nMeans over all pairs of networks. semi r: each unit's best partner; matched r: one to one;" +
		"\nheld out r: the same on images that had no part in the matching; mutual: units that are each" +
		"\nother's best partners; p: of rotated units, at a sample.")
}
