package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is what the figures depend on.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	System string `json:"system"` // operating system and architecture
	Go     string `json:"go"`
}

func thisMachine() machine {
	return machine{
		CPU: processor(), Cores: runtime.NumCPU(), Kernel: said("uname", "-sr"),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return said("sysctl", "-n", "machdep.cpu.brand_string")
	}
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Trim(line, " \t:")
}

// said is what a command prints, empty where it is not there.
func said(name string, arguments ...string) string {
	text, err := exec.Command(name, arguments...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
