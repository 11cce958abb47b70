// Package corr measures how the units of several networks vary together.
//
// A unit's activations over images and positions are a random variable
// ("Convergent Learning", ICLR 2016, section 2). [Moments] takes the
// activations of all networks side by side, in one pass of any length and
// memory that depends on the number of units alone, and gives every within-net
// and between-net covariance and correlation, and what they would be by chance.
package corr
