package main

import (
	"context"
	"time"
)

// limits are the aims for each of our functions.
var limits = map[string]struct{ init, sdk, zip, memory float64 }{
	"receiver":   {init: 1.3, sdk: 1.1, zip: 1.3, memory: 1.3},
	"connection": {init: 2.2, sdk: 1.1, zip: 1.7, memory: 1.7},
	"rotation":   {init: 2.2, sdk: 1.1, zip: 1.7, memory: 1.7},
	"follower":   {init: 2.2, sdk: 1.1, zip: 1.7, memory: 1.7},
}

// measureFunctions compares our functions with an empty Lambda function and with
// one that imports the same packages of the AWS SDK.
func measureFunctions(ctx context.Context, b *bench) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	empty, err := b.function(ctx, "empty", "./local/bench/floor/empty")
	if err != nil {
		return err
	}
	programs := []program{{name: "empty", command: []string{empty}}}
	for _, name := range ours {
		mine, err := b.ourFunction(ctx, w, name)
		if err != nil {
			return err
		}
		file, err := b.sdkFloor(ctx, name)
		if err != nil {
			return err
		}
		floor, err := b.function(ctx, "sdk-"+name, file)
		if err != nil {
			return err
		}
		programs = append(programs, mine, program{name: "sdk-" + name, command: []string{floor}, environment: mine.environment})
	}
	if err := b.inits(ctx, programs); err != nil {
		return err
	}
	if err := b.sizes(programs); err != nil {
		return err
	}
	return b.peaks(ctx, w, programs)
}

func (b *bench) ourFunction(ctx context.Context, w *world, name string) (program, error) {
	binary, err := b.function(ctx, name, "./functions/"+name)
	if err != nil {
		return program{}, err
	}
	environment, err := w.environment(ctx, name)
	return program{name: name, command: []string{binary}, environment: environment}, err
}

func (b *bench) inits(ctx context.Context, programs []program) error {
	measured, err := inTurn(ctx, b.times(200), b.starts(programs)...)
	if err != nil {
		return err
	}
	for i, name := range ours {
		mine, floor := measured[2*i+1], measured[2*i+2]
		b.add(row{What: name + ": init, exec to first poll", Unit: "ms", Ours: mine, Against: "empty Go Lambda", Other: measured[0], aim: ratioAtMost(limits[name].init)})
		b.add(row{What: name + ": init", Unit: "ms", Ours: mine, Against: "same SDK packages imported", Other: floor, aim: ratioAtMost(limits[name].sdk)})
	}
	return nil
}

// starts returns for each program what starts it once and tells its init in ms.
func (b *bench) starts(programs []program) []func() (float64, error) {
	var starts []func() (float64, error)
	for _, p := range programs {
		starts = append(starts, func() (float64, error) {
			r, err := b.start(p)
			if err != nil {
				return 0, err
			}
			r.stop()
			return milliseconds(r.init), nil
		})
	}
	return starts
}

func (b *bench) sizes(programs []program) error {
	sizes := make([]float64, len(programs))
	for i, p := range programs {
		size, err := zipped(p.command[0])
		if err != nil {
			return err
		}
		sizes[i] = size
	}
	for i, name := range ours {
		b.add(row{What: name + ": zip", Unit: "MB", Ours: series{sizes[2*i+1]}, Against: "empty Go Lambda", Other: series{sizes[0]}, aim: ratioAtMost(limits[name].zip)})
	}
	for i, name := range ours {
		b.add(row{What: name + ": zip", Unit: "MB", Ours: series{sizes[2*i+1]}, Against: "same SDK packages imported", Other: series{sizes[2*i+2]}})
	}
	return nil
}

// peaks compares the memory after 1,000 invocations that do their usual work.
func (b *bench) peaks(ctx context.Context, w *world, programs []program) error {
	work, err := b.workload(ctx, w)
	if err != nil {
		return err
	}
	defer work.close()
	invoked := []program{programs[0]}
	payloads := []func() []byte{func() []byte { return []byte("{}") }}
	for i, name := range ours {
		invoked = append(invoked, programs[2*i+1])
		payloads = append(payloads, work.payload[name])
	}
	_, memory, err := b.exercise(ctx, invoked, payloads, b.times(1000))
	if err != nil {
		return err
	}
	for i, name := range ours {
		b.add(row{What: name + ": peak memory, 1,000 invocations", Unit: "MiB", Ours: memory[i+1], Against: "empty Go Lambda", Other: memory[0], aim: ratioAtMost(limits[name].memory)})
	}
	return nil
}

// exercise starts all programs, invokes them in turn, and does so with five
// processes of each. It returns the time of every invocation in ms and the peak
// memory of every process in MiB.
func (b *bench) exercise(ctx context.Context, programs []program, payloads []func() []byte, invocations int) (times, memory []series, err error) {
	times, memory = make([]series, len(programs)), make([]series, len(programs))
	for range 5 {
		if err := b.exerciseOnce(ctx, programs, payloads, invocations, times, memory); err != nil {
			return nil, nil, err
		}
	}
	return times, memory, nil
}

func (b *bench) exerciseOnce(ctx context.Context, programs []program, payloads []func() []byte, invocations int, times, memory []series) error {
	processes := make([]*running, len(programs))
	for i, p := range programs {
		started, err := b.start(p)
		if err != nil {
			return err
		}
		defer started.stop()
		processes[i] = started
	}
	for range invocations {
		for i, process := range processes {
			_, took, err := process.invoke(ctx, payloads[i]())
			if err != nil {
				return err
			}
			times[i] = append(times[i], milliseconds(took))
		}
	}
	for i, process := range processes {
		most, err := peak(process.command.Process.Pid)
		if err != nil {
			return err
		}
		memory[i] = append(memory[i], most)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
