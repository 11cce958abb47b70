//go:build unix

package artifact

import (
	"os"
	"syscall"
)

// flock locks the file for this process, unless another has it. The system unlocks it
// when the file is closed or the process ends. Where a file system knows no locks, every
// process has it, and that is all that is known.
func flock(f *os.File) (has, known bool) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return err != syscall.EWOULDBLOCK, err == nil || err == syscall.EWOULDBLOCK
}
