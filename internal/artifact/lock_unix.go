//go:build unix

package artifact

import (
	"os"
	"syscall"
)

// tryLock locks the file for this process, unless another has it. The system unlocks it
// when the file is closed or the process ends. Where a file system knows no locks, every
// process has it.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != syscall.EWOULDBLOCK
}
