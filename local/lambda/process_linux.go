package lambda

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// runsELF says whether this machine runs Linux programs.
const runsELF = true

// attributes give a function a process group of its own, which is killed as a
// whole, and end it with this process, however that ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// peakMemory is the most memory that a process has used so far, in MB.
func peakMemory(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return kilobytes/1024 + 1
}
