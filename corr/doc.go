// Package corr measures how the units of several networks vary together.
//
// A unit's activations over images and positions are a random variable
// ("Convergent Learning", ICLR 2016, section 2). [Moments] takes the
// activations of all networks side by side, in one pass of any length and
// memory that depends on the number of units alone, and gives every within-net
// and between-net covariance and correlation. [CrossMoments] of two networks leave out
// what is within either, which many units have no memory for: package match goes through
// their correlations.
//
// From these follow, for a [Pair] of networks, the measures that [Measures] lists: CKA
// and RV, CCA, SVCCA and PWCCA, shape distances, linear and ridge predictivity, and the
// correlation of best partners beyond that of rotated units. [Histograms] give mutual
// information, which moments cannot.
//
// What moments cannot give follows from inner products of samples: of a [GramPair] mutual
// nearest neighbours, representational similarity analysis and kernels that are not
// linear, and all for any number of features. [HSIC] has debiased CKA, which does not rise
// where samples are scarce.
//
// Null distributions are those of [Moments.RotationNull], [Pair.PermutationNull],
// [Shuffles] of images, and moments of untrained networks by [Moments.CompareToNull].
// [Groups.Bootstrap] and [Groups.Jackknife] give intervals over other images.
//
// Dead units, which never vary, are left out and listed. A measure that would have one
// value whatever the data, such as canonical correlations of more units than
// observations, is an error and not a number.
//
// # Errors and panics
//
// A shape that does not fit, and an index of no network, unit or group, are mistakes in the
// program, and panic with a constant message, as in gonum; so do constructors of what cannot
// exist, such as a null of no draws. All that data or users decide is an error: a NaN or infinite
// activation is an [ActivationError], which says where, what is not enough for a figure
// wraps [ErrNoLiveUnits] or [ErrTooFewObservations], and options out of range are found before
// anything is computed. A panic of a function that is called from other goroutines reaches the
// caller. Figures that callers compute may be NaN, and what follows from those is NaN.
//
// # Conventions
//
// What takes long whatever the number of units takes a context: draws, resamples, products of
// many Grams. Measures of one Pair or GramPair do not: they share factorisations, of n units or
// samples in some n³ steps, a few seconds for two thousand. A field or argument Threads limits the
// goroutines at work, 0 means all; it changes no bit. The same seed gives the same draws, each
// of which depends on the seed and its number alone.
//
// The environment variable CONVERGENT_CPU (portable, avx2, avx512, neon) lowers the instruction set
// in use, and changes no result; asm.TierError says if it names none.
package corr
