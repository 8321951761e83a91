"""The lessons on the screen: their frame, quiz, measurements, class tools, and the live parts of each."""
