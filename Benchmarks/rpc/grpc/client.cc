// SPDX-License-Identifier: Apache-2.0

// The same load as `load` makes, with C++ gRPC: PATH CONNECTIONS CALLS SIZE MILLISECONDS. Or PATH idle CONNECTIONS: opens
// them, makes one call on each, says "ready", and waits for the end of its input.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "echo.grpc.pb.h"

using Clock = std::chrono::steady_clock;

namespace {
Clock::time_point end;
std::string value;
std::mutex mutex;
std::condition_variable change;
size_t running;

struct Caller {
    bench::Echo::Stub *stub;
    std::unique_ptr<grpc::ClientContext> context;
    bench::Message request, response;
    Clock::time_point begin;
    std::vector<int64_t> times;

    void call() {
        context = std::make_unique<grpc::ClientContext>();
        begin = Clock::now();
        stub->async()->Echo(context.get(), &request, &response, [this](const grpc::Status &status) {
            auto now = Clock::now();
            if (!status.ok()) {
                fprintf(stderr, "%s\n", status.error_message().c_str());
                exit(1);
            }
            times.push_back(std::chrono::nanoseconds(now - begin).count());
            if (now < end) { return call(); }
            std::lock_guard<std::mutex> lock(mutex);
            if (--running == 0) { change.notify_one(); }
        });
    }
};

std::unique_ptr<bench::Echo::Stub> connect(const char *path) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    auto channel = grpc::CreateCustomChannel(std::string("unix:") + path, grpc::InsecureChannelCredentials(), arguments);
    channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
    return bench::Echo::NewStub(channel);
}

int idle(const char *path, int connections) {
    std::vector<std::unique_ptr<bench::Echo::Stub>> stubs;
    for (int i = 0; i < connections; i++) {
        grpc::ClientContext context;
        bench::Message request, response;
        stubs.push_back(connect(path));
        if (!stubs.back()->Echo(&context, request, &response).ok()) { return 1; }
    }
    puts("ready");
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
}  // namespace

int main(int, char **argv) {
    if (std::string(argv[2]) == "idle") { return idle(argv[1], atoi(argv[3])); }
    int connections = atoi(argv[2]), calls = atoi(argv[3]);
    value = std::string(std::max(0, atoi(argv[4]) - 2), 'x');
    std::vector<std::unique_ptr<bench::Echo::Stub>> stubs;
    std::vector<std::unique_ptr<Caller>> callers;
    for (int i = 0; i < connections; i++) {
        stubs.push_back(connect(argv[1]));
        for (int j = 0; j < calls; j++) {
            callers.push_back(std::make_unique<Caller>());
            callers.back()->stub = stubs.back().get();
            callers.back()->request.set_value(value);
        }
    }
    running = callers.size();
    auto start = Clock::now();
    end = start + std::chrono::milliseconds(atoi(argv[5]));
    for (auto &caller : callers) { caller->call(); }
    std::unique_lock<std::mutex> lock(mutex);
    change.wait(lock, [] { return running == 0; });
    double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    std::vector<int64_t> all;
    for (auto &caller : callers) { all.insert(all.end(), caller->times.begin(), caller->times.end()); }
    std::sort(all.begin(), all.end());
    printf("%zu %.1f %ld %ld\n", all.size(), double(all.size()) / elapsed, long(all[all.size() / 2]),
           long(all[all.size() * 99 / 100]));
}
