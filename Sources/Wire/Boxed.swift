// SPDX-License-Identifier: Apache-2.0

/// A value that is held elsewhere, or nil: for messages that contain themselves and for those that would make what
/// contains them too large to copy.
///
/// An array of at most one element does all of it: it is Sendable, and copies share it until one is changed. A change
/// takes the same time however much is inside: arrays in there are not copied if nothing else refers to them.
struct Boxed<Value: Sendable & Hashable>: Sendable, Hashable {
    /// None or one.
    var elements: [Value]

    /// Nothing, also for what is required: until the decoder has filled it.
    init() {
        elements = []
    }

    init(_ value: Value?) {
        elements = value.map { [$0] } ?? []
    }

    init(_ value: Value) {
        elements = [value]
    }

    var value: Value? {
        get { elements.isEmpty ? nil : elements[0] }
        _modify {
            // Out of the box and into a new one, so that nothing else refers to what is inside while it is changed.
            var value = elements.isEmpty ? nil : elements[0]
            elements = []
            defer {
                if let value { elements = [value] }
            }
            yield &value
        }
    }

    /// For required fields, which are never nil.
    var content: Value {
        get { elements[0] }
        _modify { yield &elements[0] }
    }
}
