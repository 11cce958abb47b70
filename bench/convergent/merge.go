package main

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/convergent-go/convergent/internal/artifact"
)

// Help follows the summary of the command.
func (*mergeCommand) Help() string {
	return `The sum is what convergent moments would have written of all samples at once, but for rounding. Files may be merged in any order and in several steps. The same file twice is an error, and so are the same samples in the same order; that single samples are in two files is not noticed.

Examples:

	convergent merge 1.moments 2.moments -o conv1.moments
	convergent merge shards/*.moments -o conv1.moments`
}

// check refuses what would count samples twice or lose a file.
func (c *mergeCommand) check() error {
	if len(c.Files) < 2 {
		return errors.New("merge needs two files or more: convergent merge 1.moments 2.moments -o all.moments")
	}
	files := make(map[[sha256.Size]byte]string) // by what they hold
	for _, file := range c.Files {
		b, err := artifact.ReadFile(file)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		if other, ok := files[sum]; ok {
			return fmt.Errorf("%s and %s hold the same samples, which would count twice", other, file)
		}
		files[sum] = file
	}
	if c.Overwrite {
		return nil
	}
	return artifact.Fresh(c.Out)
}
