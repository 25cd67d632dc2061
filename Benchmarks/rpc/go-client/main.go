// SPDX-License-Identifier: Apache-2.0

// The same load as `load` makes, with Go's ttrpc client: PATH CONNECTIONS CALLS SIZE MILLISECONDS.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
)

func number(index int) int {
	value, err := strconv.Atoi(os.Args[index])
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	connections, calls, size := number(2), number(3), number(4)
	value := strings.Repeat("x", size-2)
	var group sync.WaitGroup
	var mutex sync.Mutex
	var all []int64
	start := time.Now()
	end := start.Add(time.Duration(number(5)) * time.Millisecond)
	for i := 0; i < connections; i++ {
		conn, err := net.Dial("unix", os.Args[1])
		if err != nil {
			panic(err)
		}
		client := ttrpc.NewClient(conn)
		for j := 0; j < calls; j++ {
			group.Add(1)
			go func() {
				defer group.Done()
				var times []int64
				for begin := time.Now(); begin.Before(end); {
					var reply ttrpc.KeyValue
					err := client.Call(context.Background(), "bench.Echo", "Echo", &ttrpc.KeyValue{Key: value}, &reply)
					if err != nil {
						panic(err)
					}
					now := time.Now()
					times = append(times, int64(now.Sub(begin)))
					begin = now
				}
				mutex.Lock()
				all = append(all, times...)
				mutex.Unlock()
			}()
		}
	}
	group.Wait()
	elapsed := time.Since(start).Seconds()
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	fmt.Printf("%d %.1f %d %d\n", len(all), float64(len(all))/elapsed, all[len(all)/2], all[len(all)*99/100])
}
