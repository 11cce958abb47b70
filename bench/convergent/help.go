package main

import "github.com/alecthomas/kong"

type helpCommand struct {
	Command string `arg:"" optional:"" help:"The command; without one, help lists all."`
}

// Help follows the summary of the command.
func (*helpCommand) Help() string {
	return `Examples:

	convergent help
	convergent help compare`
}

// AfterApply prints what -h does and ends the program, before the command would run, so
// that one that is not known is an error in the arguments.
func (c *helpCommand) AfterApply(parser *kong.Kong) error {
	args := []string{c.Command, "--help"}
	if c.Command == "" {
		args = args[1:]
	}
	_, err := parser.Parse(args)
	return err
}
