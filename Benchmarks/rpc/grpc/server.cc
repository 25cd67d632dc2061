// SPDX-License-Identifier: Apache-2.0

// The echo service on C++ gRPC, with its callback interface: PATH.
#include <grpcpp/grpcpp.h>

#include <string>

#include "echo.grpc.pb.h"

class Service final : public bench::Echo::CallbackService {
    grpc::ServerUnaryReactor *Echo(grpc::CallbackServerContext *context, const bench::Message *request,
                                   bench::Message *response) override {
        response->set_value(request->value());
        auto *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

int main(int, char **argv) {
    Service service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(std::string("unix:") + argv[1], grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    auto server = builder.BuildAndStart();
    if (!server) { return 1; }
    server->Wait();
}
