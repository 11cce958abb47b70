// Package corr measures how the units of several networks vary together.
//
// A unit's activations over images and positions are a random variable
// ("Convergent Learning", ICLR 2016, section 2). [Moments] takes the
// activations of all networks side by side, in one pass of any length and
// memory that depends on the number of units alone, and gives every within-net
// and between-net covariance and correlation.
//
// From these follow, for a [Pair] of networks, the measures that [Measures] lists: CKA
// and RV, CCA, SVCCA and PWCCA, shape distances, linear and ridge predictivity, and the
// correlation of best partners beyond that of rotated units. [Histograms] give mutual
// information, which moments cannot.
//
// What chance would give: [Moments.RotationNull], [Pair.PermutationNull], [Shuffles] of
// images, and moments of untrained networks by [Moments.Against]. What other images
// would give: [Groups.Bootstrap].
//
// Dead units, which never vary, are left out and listed. What no data could make
// different, such as canonical correlations of more units than observations, is an
// error and not a number.
package corr
