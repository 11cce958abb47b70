//go:build unix

package main

import (
	"os"
	"syscall"
)

// pause and resume stop a process and let it go on. Libraries keep idle threads
// spinning for a while, which would take cores from what is timed next.
func pause(p *os.Process)  { p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) { p.Signal(syscall.SIGCONT) }
