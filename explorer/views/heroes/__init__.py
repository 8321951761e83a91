"""The moving picture that opens each lesson: an SVG with a timeline, and the sentences that go with it."""
