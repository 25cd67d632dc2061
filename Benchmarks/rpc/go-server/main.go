// SPDX-License-Identifier: Apache-2.0

// The echo service on Go's ttrpc.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/containerd/ttrpc"
)

func main() {
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server.Register("bench.Echo", map[string]ttrpc.Method{
		"Echo": func(_ context.Context, unmarshal func(interface{}) error) (interface{}, error) {
			var request ttrpc.KeyValue
			if err := unmarshal(&request); err != nil {
				return nil, err
			}
			return &request, nil
		},
	})
	fmt.Println(server.Serve(context.Background(), listener))
}
