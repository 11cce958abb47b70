// Package flags lets commands take flags as Go's do, and among files.
package flags

import (
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

var (
	longFlag = regexp.MustCompile(`^-[a-z]{2}`)
	negative = regexp.MustCompile(`^-[0-9.]`)
)

// Parse parses arguments. Flags have one dash or two, have their value as the next
// argument or after =, and stand before, between or after files.
func Parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	return parser.Parse(order(parser.Model.Node, args))
}

// order puts arguments as kong wants them: the command, the files, which kong takes to
// end at the first flag, and then the flags, with two dashes and joined to their value.
// What follows -- is no flag.
func order(node *kong.Node, args []string) []string {
	var command, files, flags []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			return slices.Concat(command, flags, []string{arg}, files, args)
		}
		if !isFlag(arg) {
			if child := subcommand(node, arg); child != nil && len(files) == 0 {
				node, command = child, append(command, arg)
			} else {
				files = append(files, arg)
			}
			continue
		}
		if longFlag.MatchString(arg) {
			arg = "-" + arg
		}
		name, value, joined := strings.Cut(arg, "=")
		if f := find(node, name); f != nil {
			if !joined && !f.IsBool() && len(args) > 0 && (!isFlag(args[0]) || negative.MatchString(args[0])) {
				value, joined, args = args[0], true, args[1:]
			}
			if joined {
				arg = "--" + f.Name + "=" + value
			}
		}
		flags = append(flags, arg)
	}
	return slices.Concat(command, files, flags)
}

func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

func subcommand(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// find returns the flag of a command, or of what it is a command of, or nil.
func find(node *kong.Node, arg string) *kong.Flag {
	for ; node != nil; node = node.Parent {
		for _, f := range node.Flags {
			if arg == "--"+f.Name || f.Short != 0 && arg == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}
