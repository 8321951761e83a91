"""The parts of the page *Look inside*. Nothing here loads torch: all questions go to the checking process."""
