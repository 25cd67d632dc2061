// SPDX-License-Identifier: Apache-2.0

// Launches a container and prints its output, with the ttrpc client that Debian packages:
//
//	apt-get install golang-go golang-github-containerd-ttrpc-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o gantry-run ./examples/go
//	gantry-run IMAGE COMMAND [ARGUMENT...]
//
// That client (1.1) knows calls of one request and one response, so the output is read from the container's sandbox, a
// directory of ours, when the container has ended. With ttrpc 1.2 the method Attach streams it.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/containerd/ttrpc"
)

const service = "gantry.v1.Containerizer"

func run(client *ttrpc.Client, image string, command []string) (int, error) {
	sandbox, err := os.MkdirTemp("", "gantry-run-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(sandbox)

	ctx := context.Background()
	id := &ContainerID{Value: filepath.Base(sandbox)}
	request := &LaunchRequest{
		ContainerID: id,
		Config: &ContainerConfig{
			Directory: &sandbox,
			Command:   &CommandInfo{Value: &command[0], Shell: new(bool), Arguments: command},
			Container: &ContainerInfo{
				Type:  containerTypeMesos,
				Mesos: &MesosInfo{Image: &Image{Type: imageTypeDocker, Docker: &DockerImage{Name: &image}}},
			},
		},
	}
	// The wait begins before the launch has been answered: a short command may have ended, and be forgotten, by then.
	// Calls that run at once may reach the daemon in either order, so a wait that came too early is repeated.
	launched := make(chan error, 1)
	go func() {
		response := &LaunchResponse{}
		err := client.Call(ctx, service, "Launch", request, response)
		if err == nil && response.Result != launchResultSuccess {
			err = fmt.Errorf("the daemon did not launch the container: result %d", response.Result)
		}
		launched <- err
	}()
	ended := &WaitResponse{}
	isLaunched := false
	for ended.Termination == nil {
		last := isLaunched
		if err := client.Call(ctx, service, "Wait", &WaitRequest{ContainerID: id}, ended); err != nil {
			return 0, err
		}
		if last {
			break
		}
		select {
		case failure := <-launched:
			if failure != nil {
				return 0, failure
			}
			isLaunched = true
		default:
		}
	}
	if !isLaunched {
		if failure := <-launched; failure != nil {
			return 0, failure
		}
	}
	if err := show(filepath.Join(sandbox, "stdout"), os.Stdout); err != nil {
		return 0, err
	}
	if err := show(filepath.Join(sandbox, "stderr"), os.Stderr); err != nil {
		return 0, err
	}
	if ended.Termination == nil {
		return 0, fmt.Errorf("the container had ended before the daemon could be asked how")
	}
	status := syscall.WaitStatus(ended.Termination.Status)
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

func show(path string, target io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(target, file)
	return err
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "gantry-run IMAGE COMMAND [ARGUMENT...]")
		os.Exit(64)
	}
	host := os.Getenv("GANTRY_HOST")
	if host == "" {
		host = "unix:///run/gantry/gantryd.sock"
	}
	conn, err := net.Dial("unix", strings.TrimPrefix(host, "unix://"))
	if err == nil {
		client := ttrpc.NewClient(conn)
		defer client.Close()
		var code int
		if code, err = run(client, os.Args[1], os.Args[2:]); err == nil {
			os.Exit(code)
		}
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(125)
}
