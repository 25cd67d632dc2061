// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// What the generated code of a message provides to the codec. C structs live in an arena and only inside the functions
/// of this file.
protocol CMessage: Message {
    associatedtype CStruct

    static var table: UnsafePointer<cp_message> { get }

    init(copying c: UnsafePointer<CStruct>)

    func lower(into arena: Arena) -> UnsafeMutablePointer<CStruct>
}
