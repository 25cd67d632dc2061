// SPDX-License-Identifier: Apache-2.0

// Drives an echo server with Go's own ttrpc client. One line per check: its name, a tab, what came of it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const service = "test.Echo"

// A message with two strings is as good as any, and ttrpc brings one.
type message = ttrpc.KeyValue

func describe(reply string, err error) string {
	if err == nil {
		return reply
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.Unknown {
		return fmt.Sprintf("%s: %s", s.Code(), s.Message())
	}
	return err.Error()
}

func call(ctx context.Context, client *ttrpc.Client, method string, value string) (string, error) {
	var reply message
	err := client.Call(ctx, service, method, &message{Key: "k", Value: value}, &reply)
	return reply.Value, err
}

func main() {
	conn, err := net.Dial("unix", os.Args[1])
	if err != nil {
		fmt.Println("dial\t" + err.Error())
		os.Exit(1)
	}
	client := ttrpc.NewClient(conn)
	ctx := context.Background()

	for _, size := range []int{0, 1, 65536, 1 << 20} {
		value := strings.Repeat("x", size)
		reply, err := call(ctx, client, "Echo", value)
		fmt.Printf("echo %d\t%v\n", size, err == nil && reply == value)
	}

	var group sync.WaitGroup
	var mutex sync.Mutex
	right := 0
	for worker := 0; worker < 16; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for i := 0; i < 100; i++ {
				value := fmt.Sprintf("%d/%d", worker, i)
				if reply, err := call(ctx, client, "Yield", value); err == nil && reply == value {
					mutex.Lock()
					right++
					mutex.Unlock()
				}
			}
		}(worker)
	}
	group.Wait()
	fmt.Printf("concurrent\t%d\n", right)

	fmt.Println("error\t" + describe(call(ctx, client, "Fail", "x")))
	fmt.Println("method\t" + describe(call(ctx, client, "Nothing", "x")))
	var reply message
	fmt.Println("service\t" + describe("", client.Call(ctx, "no.Such", "Echo", &message{}, &reply)))

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = call(short, client, "Stuck", "x")
	fmt.Printf("deadline\t%v\n", err != nil)
	fmt.Println("after\t" + describe(call(ctx, client, "Echo", "still here")))

	client.Close()
	_, err = call(ctx, client, "Echo", "x")
	fmt.Printf("closed\t%v\n", err == ttrpc.ErrClosed)
}
