// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/gogo/protobuf/proto"

// The fields that this program uses, of the messages in proto/gantry/v1 and proto/mesos. A larger program would let
// protoc write them (Debian: gogoprotobuf); the protobuf library itself only needs the tags.

const (
	containerTypeMesos  = 2
	imageTypeDocker     = 2
	launchResultSuccess = 1
)

type ContainerID struct {
	Value string `protobuf:"bytes,1,req,name=value"`
}

type LaunchRequest struct {
	ContainerID *ContainerID     `protobuf:"bytes,1,opt,name=container_id"`
	Config      *ContainerConfig `protobuf:"bytes,2,opt,name=container_config"`
}

type LaunchResponse struct {
	Result int32 `protobuf:"varint,1,opt,name=result,proto3"`
}

type ContainerConfig struct {
	Directory *string        `protobuf:"bytes,3,req,name=directory"`
	Command   *CommandInfo   `protobuf:"bytes,11,req,name=command_info"`
	Container *ContainerInfo `protobuf:"bytes,12,opt,name=container_info"`
}

type CommandInfo struct {
	Value     *string  `protobuf:"bytes,3,opt,name=value"`
	Shell     *bool    `protobuf:"varint,6,opt,name=shell"`
	Arguments []string `protobuf:"bytes,7,rep,name=arguments"`
}

type ContainerInfo struct {
	Type  int32      `protobuf:"varint,1,req,name=type"`
	Mesos *MesosInfo `protobuf:"bytes,5,opt,name=mesos"`
}

type MesosInfo struct {
	Image *Image `protobuf:"bytes,1,opt,name=image"`
}

type Image struct {
	Type   int32        `protobuf:"varint,1,req,name=type"`
	Docker *DockerImage `protobuf:"bytes,3,opt,name=docker"`
}

type DockerImage struct {
	Name *string `protobuf:"bytes,1,req,name=name"`
}

type WaitRequest struct {
	ContainerID *ContainerID `protobuf:"bytes,1,opt,name=container_id"`
}

type WaitResponse struct {
	Termination *ContainerTermination `protobuf:"bytes,1,opt,name=termination"`
}

type ContainerTermination struct {
	Status int32 `protobuf:"varint,3,opt,name=status,proto3"`
}

func (m *ContainerID) Reset()          { *m = ContainerID{} }
func (m *LaunchRequest) Reset()        { *m = LaunchRequest{} }
func (m *LaunchResponse) Reset()       { *m = LaunchResponse{} }
func (m *ContainerConfig) Reset()      { *m = ContainerConfig{} }
func (m *CommandInfo) Reset()          { *m = CommandInfo{} }
func (m *ContainerInfo) Reset()        { *m = ContainerInfo{} }
func (m *MesosInfo) Reset()            { *m = MesosInfo{} }
func (m *Image) Reset()                { *m = Image{} }
func (m *DockerImage) Reset()          { *m = DockerImage{} }
func (m *WaitRequest) Reset()          { *m = WaitRequest{} }
func (m *WaitResponse) Reset()         { *m = WaitResponse{} }
func (m *ContainerTermination) Reset() { *m = ContainerTermination{} }

func (m *ContainerID) String() string          { return proto.CompactTextString(m) }
func (m *LaunchRequest) String() string        { return proto.CompactTextString(m) }
func (m *LaunchResponse) String() string       { return proto.CompactTextString(m) }
func (m *ContainerConfig) String() string      { return proto.CompactTextString(m) }
func (m *CommandInfo) String() string          { return proto.CompactTextString(m) }
func (m *ContainerInfo) String() string        { return proto.CompactTextString(m) }
func (m *MesosInfo) String() string            { return proto.CompactTextString(m) }
func (m *Image) String() string                { return proto.CompactTextString(m) }
func (m *DockerImage) String() string          { return proto.CompactTextString(m) }
func (m *WaitRequest) String() string          { return proto.CompactTextString(m) }
func (m *WaitResponse) String() string         { return proto.CompactTextString(m) }
func (m *ContainerTermination) String() string { return proto.CompactTextString(m) }

func (*ContainerID) ProtoMessage()          {}
func (*LaunchRequest) ProtoMessage()        {}
func (*LaunchResponse) ProtoMessage()       {}
func (*ContainerConfig) ProtoMessage()      {}
func (*CommandInfo) ProtoMessage()          {}
func (*ContainerInfo) ProtoMessage()        {}
func (*MesosInfo) ProtoMessage()            {}
func (*Image) ProtoMessage()                {}
func (*DockerImage) ProtoMessage()          {}
func (*WaitRequest) ProtoMessage()          {}
func (*WaitResponse) ProtoMessage()         {}
func (*ContainerTermination) ProtoMessage() {}
