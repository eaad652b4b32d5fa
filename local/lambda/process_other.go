//go:build unix && !linux

package lambda

import "syscall"

// runsELF says whether this machine runs Linux programs.
const runsELF = false

// attributes give a function a process group of its own, which is killed as a whole.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// peakMemory is not known here.
func peakMemory(int) int { return 0 }
