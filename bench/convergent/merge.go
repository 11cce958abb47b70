package main

// Help follows the summary of the command.
func (*mergeCommand) Help() string {
	return `The sum is what convergent moments would have written of all samples at once, but for rounding. It is an error if a file or a shard is given twice, if a sample with a name is in two files, if a shard is missing or damaged or was made of something else, and if networks stand in another order, as far as names tell.

Shards have one sum, to the last bit: whoever made them, in whatever order, and however the tree of them was cut. Files that are no shards are added in the order that they are given in, and may be merged in several steps.

Examples:

	convergent merge 1.moments 2.moments -o conv1.moments
	convergent merge shards -o all
	convergent merge -partial shards/1.moments shards/2.moments -o 1-2.moments`
}
