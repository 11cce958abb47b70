// Package spectral groups the units of networks many to many: spectral
// clustering of a graph whose vertices are units and whose weights come from
// correlations, and the average-linkage tree over a sparse mapping between two
// networks (Li et al., "Convergent Learning", ICLR 2016).
//
// The steps of a clustering stand alone: [Combine] joins the correlations of two
// networks into one matrix, [Affinity] makes a graph of it by an explicit rule,
// [Decompose] finds the eigenvectors of a [Laplacian], [KMeans] groups their
// rows. [Cluster] does the last two and [Split] divides what came out too large;
// [Similarity] measures the groups.
//
// A graph is a symmetric matrix of weights from 0, no edge, to 1e150; the diagonal
// is never read. Results depend on the input and the seed alone, not on the number
// of threads, and labels are canonical: numbered from 0 in the order in which they
// first appear.
package spectral
