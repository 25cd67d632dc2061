// SPDX-License-Identifier: Apache-2.0

/// The OCI manifest and configuration of an imported root file system. They follow from the layer alone, so that the
/// same content always has the same manifest digest. The layer counts as stored uncompressed.
struct ImageDocuments {
    let config: [UInt8]
    let manifest: [UInt8]
    let manifestDigest: Digest

    /// `layerSize`: the bytes that the layer's digest covers.
    init(layer: Digest, layerSize: UInt64) {
        #if arch(arm64)
            let architecture = "arm64"
        #else
            let architecture = "amd64"
        #endif
        let configuration =
            #"{"architecture":"\#(architecture)","os":"linux","config":{},"#
            + #""rootfs":{"type":"layers","diff_ids":["\#(layer)"]}}"#
        config = Array(configuration.utf8)
        let text =
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#
            + #""config":{"mediaType":"application/vnd.oci.image.config.v1+json","#
            + #""digest":"\#(Digest(of: config))","size":\#(config.count)},"#
            + #""layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"\#(layer)","size":\#(layerSize)}]}"#
        manifest = Array(text.utf8)
        manifestDigest = Digest(of: manifest)
    }
}
