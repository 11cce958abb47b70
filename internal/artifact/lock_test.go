package artifact

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestNoLocks is on a file system that knows no locks: two runs are not kept apart, but each file
// is one writer's, whole; and what killed writers left is removed when it is old.
func TestNoLocks(t *testing.T) {
	defer func() { tryLock = flock }()
	tryLock = func(*os.File) (has, known bool) { return true, false }
	dir := t.TempDir()
	for range 2 {
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
	}
	path := filepath.Join(dir, "b.txt")
	fresh, old := filepath.Join(dir, ".b.txt.1.tmp"), filepath.Join(dir, ".b.txt.2.tmp")
	for _, name := range []string{fresh, old} {
		if err := os.WriteFile(name, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * forgotten)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	const length = 100_000
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for range 10 {
				if err := WriteFile(path, bytes.Repeat([]byte{byte('a' + w)}, length)); err != nil {
					t.Error(err)
				}
				if b, err := os.ReadFile(path); err != nil || len(b) != length || !bytes.Equal(b, bytes.Repeat(b[:1], length)) {
					t.Errorf("%d bytes of several writers: %v", len(b), err)
				}
			}
		})
	}
	writers.Wait()
	if _, err := os.Stat(fresh); err != nil {
		t.Error("what may be a living writer's is removed")
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what a writer left long ago is there")
	}
}
