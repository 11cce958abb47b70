// Package flags lets commands take flags as Go's do.
package flags

import (
	"regexp"
	"strings"
)

var (
	longFlag = regexp.MustCompile(`^-[a-z]{2}`)
	negative = regexp.MustCompile(`^-[0-9.]`)
)

// Spell puts arguments as kong wants them: flags, which may have one dash as Go's
// do, with two, and negative numbers joined to their flag, for it to reject.
func Spell(args []string) []string {
	var out []string
	for _, a := range args {
		last := len(out) - 1
		switch {
		case longFlag.MatchString(a):
			out = append(out, "-"+a)
		case negative.MatchString(a) && last >= 0 && strings.HasPrefix(out[last], "--"):
			out[last] += "=" + a
		default:
			out = append(out, a)
		}
	}
	return out
}
