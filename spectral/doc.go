// Package spectral groups the units of networks many to many: spectral
// clustering of a graph whose vertices are units and whose weights come from
// correlations, and trees over units, of correlations or of a sparse mapping between
// two networks (Li et al., "Convergent Learning", ICLR 2016).
//
// The steps of a clustering stand alone: [Combine] joins the correlations of two
// networks into one matrix, [CombineAll] those of any number, [Affinity] makes a graph
// of it by an explicit rule, [Smallest] finds the eigenvectors of a [Laplacian] that
// clusters need and [Decompose] its whole spectrum, and [KMeans] groups their rows, or
// [PivotedQR], which draws no random numbers. [Cluster] does all from a graph, and
// [Split] divides clusters that are too large.
//
// [Similarity] gives the correlations of the units of a group, between networks and
// within; [NormalizedCut] and [Silhouette] measure the separation of groups; and
// [Stability] is the agreement with clusterings over other images, by [AdjustedRand].
//
// [Link] makes trees by average, complete, single or Ward linkage. A [Tree] can be cut
// by number or height, put in an order for display, and written as Newick or as the
// matrix of SciPy.
//
// A graph is a symmetric matrix of weights from 0, no edge, to 1e150; the diagonal
// is never read. Results depend on the input and the seed alone, not on the number
// of threads, and labels are canonical: numbered from 0 in the order in which they
// first appear.
//
// # Errors and panics
//
// Shapes that do not agree, numbers of clusters or eigenvectors beyond those of vertices, and
// kinds that there are not, are mistakes in the program, and panic with a constant message,
// as in gonum. All that data or users decide is an error: a weight that is none is a
// [WeightError], which says where, and options below 0 are found before anything is computed;
// only [Affinity], which returns no error, panics for one.
//
// # Conventions
//
// What can take longer than a second takes a context. Threads limits the goroutines at work, 0
// means all; it changes no bit. The same seed gives the same clusters.
//
// The environment variable CONVERGENT_CPU (portable, avx2, avx512, neon) lowers the instruction set
// in use, and changes no result; asm.TierError says if it names none.
package spectral
