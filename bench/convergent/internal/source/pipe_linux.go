package source

import (
	"os"
	"syscall"
)

// widen has a pipe hold a megabyte, where it is one and the system lets it, and not 64 KB, for
// which its writer and its reader would wait for each other sixteen times as often.
func widen(f *os.File) {
	const setPipeSize = 1031 // F_SETPIPE_SZ of fcntl(2)
	if c, err := f.SyscallConn(); err == nil {
		c.Control(func(fd uintptr) { syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20) })
	}
}
