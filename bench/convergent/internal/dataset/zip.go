package dataset

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// rename gives the entries of a zip names that can be opened: in UTF-8, with slashes. It
// must be called before the zip is read as a file system. A name that leads out of the zip
// is an error.
func rename(z *zip.Reader) error {
	old := encoding.Encoding(charmap.CodePage437) // as the format has it
	if japaneseNames(z) {
		old = japanese.ShiftJIS
	}
	for _, f := range z.File {
		name := f.Name
		if !utf8.ValidString(name) {
			decoded, err := old.NewDecoder().String(name)
			if err != nil {
				return fmt.Errorf("the path %q in it: %w; pack it again", name, err)
			}
			name = decoded
		}
		name = strings.ReplaceAll(name, `\`, "/")
		if !fs.ValidPath(path.Clean(name)) {
			return fmt.Errorf("the path %q in it leads out of it; pack it again", f.Name)
		}
		f.Name = name
	}
	return nil
}

// japaneseNames holds if all names that are not UTF-8 are Shift-JIS, which has two bytes
// for a letter, and a backslash may be one of them.
func japaneseNames(z *zip.Reader) bool {
	found := false
	for _, f := range z.File {
		if utf8.ValidString(f.Name) {
			continue
		}
		name, err := japanese.ShiftJIS.NewDecoder().String(f.Name)
		if err != nil || strings.ContainsRune(name, utf8.RuneError) {
			return false
		}
		found = true
	}
	return found
}
