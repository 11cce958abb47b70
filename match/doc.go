// Package match aligns the units of one network with those of another, one to
// one and one to few (Li et al., "Convergent Learning", ICLR 2016, sections 3
// and 4).
//
// One to one: [SemiMatching] gives each unit its most correlated unit in the
// other network, [Bipartite] the one-to-one assignment with the largest sum.
// One to few: [Lasso] predicts each unit of one network from a few units of the
// other, which needs covariances and no activations.
//
// All results are exact, and can be shown to be: an assignment carries the dual
// variables with which [Matching.Verify] proves it optimal, a sparse prediction
// its duality gap. They depend on the input alone, not on the number of threads.
package match
