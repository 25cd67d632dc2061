// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemPackage

extension Directory {
    /// mkdir(2), where a directory that is there already is fine.
    ///
    /// - Returns: whether it was made by this call.
    @discardableResult
    public static func createIfMissing(_ path: String, mode: UInt32) throws(SystemError) -> Bool {
        do {
            try systemCall("mkdir", path) { mkdir(path, mode) }
            return true
        } catch  where error.errno == .fileExists {
            return false
        }
    }
}
