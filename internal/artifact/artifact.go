// Package artifact writes files whole: a reader sees the old content or the
// new, never a part, whenever the writer is stopped.
package artifact

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write creates or replaces the file at path with what write writes. The data
// goes to a file beside it that is synced and then renamed; on any error that
// file is removed and path is as it was. The folder of path is made if missing.
func Write(path string, write func(w io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<16)
	if err := write(buf); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// WriteFile is Write of the given bytes.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Writable makes a folder for results and tries to write in it, before any work is done
// for nothing.
func Writable(dir string) error {
	probe := filepath.Join(dir, ".writable")
	if err := WriteFile(probe, nil); err != nil {
		return fmt.Errorf("cannot write to the output folder %s: %w; choose another with -out", dir, err)
	}
	return os.Remove(probe)
}

// WriteJSON is Write of v as indented JSON.
func WriteJSON(path string, v any) error {
	return Write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(v)
	})
}

// WriteCSV is Write of a table.
func WriteCSV(path string, rows [][]string) error {
	return Write(path, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}
