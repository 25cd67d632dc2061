// SPDX-License-Identifier: Apache-2.0

// An echo service on Go's own ttrpc server, for our client to call. Says "ready" when it listens.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A message with two strings is as good as any, and ttrpc brings one.
type message = ttrpc.KeyValue

func method(handle func(ctx context.Context, request *message) (*message, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
		var request message
		if err := unmarshal(&request); err != nil {
			return nil, err
		}
		return handle(ctx, &request)
	}
}

func describe(ctx context.Context) string {
	var words []string
	metadata, _ := ttrpc.GetMetadata(ctx)
	for key, values := range metadata {
		words = append(words, key+"="+strings.Join(values, ","))
	}
	sort.Strings(words)
	_, hasDeadline := ctx.Deadline()
	return fmt.Sprintf("%v %v", words, hasDeadline)
}

func main() {
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	stopped := make(chan struct{})
	server.Register("test.Echo", map[string]ttrpc.Method{
		"Echo": method(func(_ context.Context, request *message) (*message, error) { return request, nil }),
		"Fail": method(func(context.Context, *message) (*message, error) {
			return nil, status.Error(codes.NotFound, "no such thing")
		}),
		"Large": method(func(context.Context, *message) (*message, error) {
			return &message{Value: strings.Repeat("x", 4<<20)}, nil
		}),
		"Stuck": method(func(ctx context.Context, _ *message) (*message, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}),
		"Describe": method(func(ctx context.Context, _ *message) (*message, error) {
			return &message{Value: describe(ctx)}, nil
		}),
		"Stop": method(func(context.Context, *message) (*message, error) {
			close(stopped)
			return &message{}, nil
		}),
	})
	go server.Serve(context.Background(), listener)
	fmt.Println("ready")
	<-stopped
	server.Shutdown(context.Background())
}
