package bench

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/spectral"
)

// Spectral is the clustering of N units of K kinds into K clusters, by the symmetric
// normalised Laplacian of their absolute correlations, or their tree: by a linkage of
// one less the correlations.
type Spectral struct {
	N       int    `json:"n"`
	K       int    `json:"k"`
	Linkage string `json:"linkage,omitempty"` // average, complete, single or ward
}

var linkages = map[string]spectral.Linkage{
	"average": spectral.Average, "complete": spectral.Complete, "single": spectral.Single, "ward": spectral.Ward,
}

func (s Spectral) works() ([]Work, error) {
	w := Work{Name: fmt.Sprintf("spectral/n=%d,k=%d", s.N, s.K), Tolerance: 0.01, Spec: s, start: s.clusters}
	if s.Linkage != "" {
		w = Work{Name: fmt.Sprintf("spectral-tree/%s/n=%d", s.Linkage, s.N), Tolerance: 1e-12, Spec: s, start: s.tree}
		if _, ok := linkages[s.Linkage]; !ok {
			return nil, fmt.Errorf("%s: unknown linkage", w.Name)
		}
	}
	if s.N < 2 || s.K < 2 || s.K > s.N {
		return nil, fmt.Errorf("%s: size out of range", w.Name)
	}
	return []Work{w}, nil
}

// Correlations returns those of the units: 30 numbers each, around the mean of the
// unit's kind.
func (s Spectral) Correlations() *mat.SymDense {
	const samples = 30
	x := mat.NewDense(s.N, samples, Float64s(uniform(1, s.N*samples)))
	kinds := Float64s(uniform(2, s.K*samples))
	for i := range s.N {
		row := x.RawRowView(i)
		for j, v := range kinds[i%s.K*samples:][:samples] {
			row[j] += 2 * v
		}
	}
	standardize(x)
	c := mat.NewSymDense(s.N, nil)
	c.SymOuterK(1, x)
	return c
}

// clusters has the normalised cut as its result: two ways to cluster well need not
// agree on every unit.
func (s Spectral) clusters(threads int) (*Job, error) {
	g := spectral.Affinity(nil, s.Correlations(), spectral.Rule{Kind: spectral.Abs})
	var c *spectral.Clustering
	return &Job{
		Run: func() (err error) {
			c, err = spectral.Cluster(context.Background(), g, spectral.Options{K: s.K, Laplacian: spectral.Symmetric, Threads: threads})
			return err
		},
		Results: func() [][]float64 { return [][]float64{{spectral.NormalizedCut(g, c.Labels)}} },
	}, nil
}

func (s Spectral) tree(threads int) (*Job, error) {
	d := s.Correlations()
	for i := range s.N {
		for j := i; j < s.N; j++ {
			d.SetSym(i, j, max(0, 1-d.At(i, j)))
		}
	}
	var t *spectral.Tree
	return &Job{
		Run: func() (err error) {
			t, err = spectral.Link(context.Background(), d, spectral.LinkageOptions{Method: linkages[s.Linkage], Distances: true, Threads: threads})
			return err
		},
		Results: func() [][]float64 {
			heights := make([]float64, len(t.Merges))
			for i, m := range t.Merges {
				heights[i] = m.Height
			}
			return [][]float64{heights}
		},
	}, nil
}
