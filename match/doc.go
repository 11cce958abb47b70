// Package match aligns the units of one network with those of another, one to
// one and one to few (Li et al., "Convergent Learning", ICLR 2016, sections 3
// and 4).
//
// One to one: [SemiMatching] gives each unit its most correlated unit in the
// other network (of the transpose, the other way), [Mutual] the pairs that are
// among each other's best, [Bipartite] the one-to-one assignment with the largest
// sum, and [Greedy], for comparison, the assignment that takes the largest value first.
// [SoftMatching] is the optimal transport between networks of unequal width.
// [BipartitePasses] and [SemiMatchingPasses] are for matrices too large to hold, such as
// 36,864 x 36,864 correlations.
//
// One to few: [Lasso] predicts each unit of one network from a few units of the
// other, which needs covariances and no activations, for given penalties, and
// [LassoSizes] for given numbers of units. [LassoFit.Refit] removes the penalty's
// shrinkage, and [SelectFit] chooses a penalty on held-out observations.
//
// All results but greedy ones are optimal, and can be shown to be: an assignment and
// a soft matching carry the dual variables with which [Matching.Verify] and
// [Transport.Verify] prove them so, a sparse prediction its duality gap. They depend on
// the input alone, not on the number of threads.
//
// # Errors and panics
//
// Shapes that do not agree, a rank below 1 and a fit without weights are mistakes in the
// program, and panic with a constant message, as in gonum. All that data or users decide is
// an error: a value that cannot be matched is a [ValueError], which says where, and options
// out of range are found before anything is computed. A panic of a callback on another
// goroutine reaches the caller.
//
// # Conventions
//
// What can take longer than a second takes a context, but for [Greedy], which sorts. A field
// Threads limits the goroutines at work, 0 means all; it changes no bit.
//
// The environment variable CONVERGENT_CPU (portable, avx2, avx512, neon) lowers the instruction set
// in use, and changes no result; asm.TierError says if it names none.
package match
