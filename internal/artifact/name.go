package artifact

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxName is the most bytes of a file's name, which leaves room for endings.
const maxName = 120

// reserved are names that Windows has for devices, with any ending.
var reserved = []string{"con", "prn", "aux", "nul", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
	"lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"}

// FileName returns what a file or folder can be called for anything that has the name,
// on any disk: names that differ have files that differ, where disks do not tell cases
// apart, too. Small letters, digits, and - _ and . within stand for themselves, +a for
// A, and =2f for a byte, here a slash. Of what would be too long the end is replaced
// by a checksum.
func FileName(name string) string {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case i == 0 && slices.Contains(reserved, base), c == '.' && (i == 0 || i == len(name)-1):
			fmt.Fprintf(&b, "=%02x", c)
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		case c >= 'A' && c <= 'Z':
			b.WriteByte('+')
			b.WriteByte(c + 'a' - 'A')
		default:
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	switch file := b.String(); {
	case file == "":
		return "="
	case len(file) > maxName:
		return fmt.Sprintf("%s=-%x", file[:maxName/2], sha256.Sum256([]byte(name)))[:maxName]
	default:
		return file
	}
}

// NameOf returns the name whose file FileName called so, or false if it called none so
// or the name's end is not in it.
func NameOf(file string) (string, bool) {
	var b []byte
	for rest := file; rest != "" && file != "="; {
		c, n := rest[0], 1
		switch {
		case c == '+' && len(rest) > 1:
			c, n = rest[1]+'A'-'a', 2
		case c == '=' && len(rest) > 2:
			v, err := strconv.ParseUint(rest[1:3], 16, 8)
			if err != nil {
				return "", false
			}
			c, n = byte(v), 3
		}
		b, rest = append(b, c), rest[n:]
	}
	return string(b), FileName(string(b)) == file
}
